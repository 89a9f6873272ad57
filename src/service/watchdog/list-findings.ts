// What the watchdog of a store finds: of this process where one watches here, else what the process that watches for
// all has written. Where nobody watches any more, nothing is known.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { toFinding, type Finding } from "../../policy/watchdog/finding.ts";
import { contextOf } from "../mill-context.ts";
import { FindingBoard } from "./finding-board.ts";

/** Findings, the worst and oldest first; null: nobody watches. `mill`: what `openMillrace` gave. */
export async function listFindings(mill: object): Promise<readonly Finding[] | null> {
  const context = contextOf(mill);
  const { watch } = context.standing;
  if (watch !== null) return watch.findings();
  const duty = await context.store.findRecord("duties", "watchdog");
  const untilMs = isPlainRecord(duty?.value) ? duty.value["untilMs"] : undefined;
  if (typeof untilMs !== "number" || untilMs <= context.store.nowMs()) return null;
  const seen = await new FindingBoard(context).read();
  return seen.map(toFinding);
}
