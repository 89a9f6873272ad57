// `millrace complete -- WORD…`: what shells ask while somebody writes. One line for each word, a tab and what it is.
// Writes nothing, is silent about whatever goes wrong, and answers in time with what it has.

import { escapeControl } from "../../std/text.ts";
import type { CliContext } from "../cli-context.ts";
import { findCandidates, type Candidate } from "./find-candidates.ts";
import { makeNameSources } from "./known-names.ts";
import { EXIT } from "../exit-code.ts";
import { printAnswer } from "../print.ts";

/** Time for names, ms: with the start of the command they are there within 200 ms, or not at all. */
const NAMES_MS_MAX = 120;

/** Answers; `words` are those after the command, the last one is being written. Never rejects. */
export async function complete(context: CliContext, words: readonly string[]): Promise<number> {
  const asked = { ...context, flags: { ...context.flags, ...readPlaces(words) } };
  const found = await withinTime(
    context,
    findCandidates(words, makeNameSources(asked)).catch(() => []),
  );
  const lines = found.map(({ word, about }) => `${word}\t${escapeControl(about)}`);
  printAnswer(context, lines.join("\n"));
  return EXIT.ok;
}

/** The store and the configuration that the words name. */
function readPlaces(
  words: readonly string[],
): Partial<Pick<CliContext["flags"], "store" | "config">> {
  const valueOf = (flag: string): string | undefined => {
    const at = words.slice(0, -1).lastIndexOf(flag);
    return at < 0 || at + 1 >= words.length - 1 ? undefined : words[at + 1];
  };
  const [store, config] = [valueOf("--store"), valueOf("--config")];
  return {
    ...(store === undefined ? {} : { store }),
    ...(config === undefined ? {} : { config }),
  };
}

async function withinTime(
  { clock }: CliContext,
  found: Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  const late = Promise.withResolvers<readonly Candidate[]>();
  const timer = clock.setTimer(NAMES_MS_MAX, () => late.resolve([]));
  try {
    return await Promise.race([found, late.promise]);
  } finally {
    timer.cancel();
  }
}
