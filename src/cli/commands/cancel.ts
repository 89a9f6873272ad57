// `millrace cancel`: ends runs, wherever they are worked on. All that were named are tried; one that cannot be
// cancelled does not spare the others.

import { isMillraceError, type MillraceError } from "../../model/errors.ts";
import { isRunOver, type RunState } from "../../model/run.ts";
import type { CancelOptions } from "../../service/commands/cancel-run.ts";
import type { Millrace } from "../../service/millrace.ts";
import { openMillrace } from "../../service/millrace.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT, exitCodeOfError, worstExitCode } from "../exit-code.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { cancelSelected } from "./cancel-runs.ts";
import { printAnswer, printDocument } from "../print.ts";
import { printError } from "../render-error.ts";
import { readSettings } from "../settings.ts";
import { withStore } from "../with-store.ts";

/** One run that was to be cancelled. */
interface CancelResult {
  readonly run: string;
  readonly before: RunState;
  readonly after: RunState;
  readonly holder?: string;
  readonly note?: string;
}

/** Cancels runs. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const reason = reader.text("reason") ?? "cancelled on the command line";
  const waits = reader.has("wait");
  const force = reader.has("force");
  const isSelection = reader.has("state") || reader.has("pipeline");
  if (isSelection === args.length > 0)
    reader.fault("state", "expected runs, or --state with runs to be cancelled, and not both");
  if (isSelection) return cancelSelected(context, reader, reason);
  reader.finish("npx millrace cancel --help");
  // A store that does not exist is not made for this.
  await withStore(context, async () => undefined);
  const settings = await readSettings(context);
  const mill = await openMillrace({
    store: settings.store.value,
    busyTimeoutMs: settings.busyTimeoutMs.value,
  });
  const results: CancelResult[] = [];
  const faults: MillraceError[] = [];
  try {
    for (const reference of args) {
      const outcome = await cancelOne(mill, reference, { reason, force });
      if (isMillraceError(outcome)) faults.push(outcome);
      else results.push(waits ? await waitForEnd(context, mill, outcome) : outcome);
    }
  } finally {
    await mill.close();
  }
  return report(context, { results, faults, waits });
}

async function cancelOne(
  mill: Millrace,
  reference: string,
  options: CancelOptions,
): Promise<CancelResult | MillraceError> {
  try {
    return await mill.cancel(reference, options);
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
}

interface Outcome {
  readonly results: readonly CancelResult[];
  readonly faults: readonly MillraceError[];
  readonly waits: boolean;
}

function report(context: CliContext, { results, faults, waits }: Outcome): number {
  const isQuiet = context.flags.json && results.length > 0;
  // One document only: with results to tell, the faults stay on stderr.
  const errorContext = isQuiet ? { ...context, flags: { ...context.flags, json: false } } : context;
  for (const fault of faults) printError(errorContext, fault);
  if (context.flags.json && results.length > 0) {
    printDocument(context, { schema: "millrace.cancel/1", results });
  } else if (results.length > 0) printAnswer(context, results.map(sayResult).join("\n"));
  const ended = waits && results.some(({ after }) => after !== "cancelled") ? [EXIT.failed] : [];
  const codes = [...faults.map(exitCodeOfError), ...ended];
  return codes.includes(EXIT.usage) ? EXIT.usage : worstExitCode(codes);
}

function sayResult({ run: name, after, holder, note }: CancelResult): string {
  const what = after === "cancelled" ? "cancelled" : isRunOver(after) ? after : "cancel requested";
  const who = holder === undefined ? "" : ` (${holder})`;
  return `${name} ${what}${who}${note === undefined ? "" : `: ${note}`}`;
}

/** Time between two looks at a run that another process is ending, ms. */
const LOOK_MS = 200;

/** Looks until the run has ended; its process may take its grace and more. */
async function waitForEnd(
  context: CliContext,
  mill: Millrace,
  outcome: CancelResult,
): Promise<CancelResult> {
  if (isRunOver(outcome.after)) return outcome;
  let after = outcome.after;
  while (!isRunOver(after)) {
    await context.clock.sleep(LOOK_MS);
    after = (await mill.run(outcome.run)).state;
    // Its process died meanwhile: nobody will end it but us.
    if (after === "waiting" || after === "queued") {
      after = (await mill.cancel(outcome.run)).after;
    }
  }
  return { run: outcome.run, before: outcome.before, after };
}
