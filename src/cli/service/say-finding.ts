// What the watchdog found, as a line of a process that lives long.

import type { HealthFinding } from "../../service/views/health-view.ts";
import { oneLine } from "../../std/text.ts";
import type { CliContext } from "../cli-context.ts";
import { printRemark } from "../print.ts";

/** Says it. Settings that are refused are told where they are read, with every fault. */
export function sayFinding(context: CliContext, { rule, message }: HealthFinding): void {
  if (rule !== "settings-refused") printRemark(context, `${rule}: ${oneLine(message)}`);
}
