// `millrace doctor`: looks at everything a run depends on, and says of each whether it will do.

import { STORE_URL_DEFAULT } from "../../model/defaults.ts";
import { escapeControl } from "../../std/text.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import type { Check } from "../doctor/check.ts";
import { checkConfig } from "../doctor/check-config.ts";
import { checkStages } from "../doctor/check-stages.ts";
import { checkNode, checkOpenFiles, checkTerminal } from "../doctor/check-process.ts";
import { checkStore } from "../doctor/check-store.ts";
import { EXIT } from "../exit-code.ts";
import { printAnswer, printDocument } from "../print.ts";
import { withCommonFlags } from "../next-command.ts";
import { lookOf, type Look } from "../render/look.ts";

/** Checks. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const config = await checkConfig(context);
  const url = config.settings?.store.value ?? context.flags.store ?? STORE_URL_DEFAULT;
  const checks = [
    checkNode(process.versions.node),
    ...(await checkStore(context, url)),
    checkOpenFiles(),
    config.check,
    ...(await checkStages(context, config.settings)),
    checkTerminal(context),
  ];
  if (context.flags.json) printDocument(context, { schema: "millrace.doctor/1", checks });
  else printAnswer(context, renderChecks(context, checks));
  if (checks.some(({ status }) => status === "fail")) return EXIT.failed;
  const hasWarnings = checks.some(({ status }) => status === "warn");
  return hasWarnings && options["strict"] === true ? EXIT.warnings : EXIT.ok;
}

function renderChecks(context: CliContext, checks: readonly Check[]): string {
  const look = lookOf(context, context.stdout);
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .flatMap(({ status, name, value, hint, next }) => [
      `${paint(look, status)}  ${name.padEnd(width)}  ${escapeControl(value)}`,
      ...(hint === undefined ? [] : [`      ${" ".repeat(width)}  hint  ${escapeControl(hint)}`]),
      ...(next === undefined
        ? []
        : [`      ${" ".repeat(width)}  next  ${withCommonFlags(context, next)}`]),
    ])
    .join("\n");
}

function paint(look: Look, status: Check["status"]): string {
  const word = status.padEnd(4);
  if (status === "ok") return look.paint.mark("succeeded", word);
  return look.paint.tone(status === "warn" ? "warning" : "error", word);
}
