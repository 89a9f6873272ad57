// What verbs over many runs print: how many, and which were left as they were.

import type { SelectionOutcome } from "../../../service/selection/run-selection.ts";
import { escapeControl } from "../../../std/text.ts";
import type { CliContext } from "../../cli-context.ts";
import { printAnswer } from "../../print.ts";
import { showCount, showCountOf } from "../../../std/shown/figures.ts";

/** Nothing was found. */
export const NO_RUNS: SelectionOutcome & { readonly spreadMs: number } = {
  matching: 0,
  changed: 0,
  skipped: [],
  spreadMs: 0,
};

/** How a verb says what it did. */
export interface SelectionWords {
  /** `queued`, `deleted`. */
  readonly done: string;
  /** `queue`, `delete`. */
  readonly deed: string;
  /** What kind of runs: `failed`; empty: just runs. */
  readonly kind: string;
  readonly dryRun: boolean;
  /** Added where runs are changed, or would be: `, 10 a second`. Default: nothing. */
  readonly pace?: string;
}

/** Skipped runs that are said one by one. */
const SKIPPED_SHOWN_MAX = 20;

/** The document of the outcome. */
export function toSelectionDocument(schema: string, outcome: SelectionOutcome): object {
  return { schema, ...outcome };
}

/** Says the outcome in words; with `--json` only on stderr. */
export function saySelection(
  context: CliContext,
  outcome: SelectionOutcome,
  words: SelectionWords,
): void {
  if (!context.flags.json) printAnswer(context, sumUp(outcome, words));
  const { skipped } = outcome;
  for (const { run, reason } of skipped.slice(0, SKIPPED_SHOWN_MAX))
    context.stderr.write(`left ${run}: ${escapeControl(reason)}\n`);
  const more = skipped.length - SKIPPED_SHOWN_MAX;
  if (more > 0) context.stderr.write(`left ${showCountOf(more, "more run")}\n`);
}

function sumUp({ matching, changed }: SelectionOutcome, words: SelectionWords): string {
  const { done, deed, kind, dryRun, pace = "" } = words;
  const noun = kind === "" ? "run" : `${kind} run`;
  if (matching === 0) return `nothing to ${deed}: there is no such ${noun}`;
  if (dryRun) return `would ${deed} ${showCountOf(matching, noun)}${pace}`;
  const left = matching - changed;
  const rest =
    left === 0 ? "" : `, left ${showCount(left)} as ${left === 1 ? "it was" : "they were"}`;
  return `${done} ${showCountOf(changed, noun)}${rest}${pace}`;
}
