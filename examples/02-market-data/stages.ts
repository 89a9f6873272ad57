// What the stages do, one function each: the work of the folders beside this file, tied to a run. Which stage needs
// which is said in pipeline.ts.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PermanentError, skip } from "millrace";
import type { Context, ItemOutcome, Skip } from "millrace";
import * as z from "zod";
import type { AnalysisRow } from "./analyze/analyze-day.ts";
import { runAnalyzer } from "./analyze/run-analyzer.ts";
import { hashOf, replaceFile } from "./disk/replace-file.ts";
import { meetFault, parseFaults } from "../fault/fault.ts";
import { findMark, readLedger, writeLedger } from "./index/ledger.ts";
import { listDays, type Day } from "./index/list-days.ts";
import { mergeRows } from "./merge/month-table.ts";
import { summarize, type DayResult, type Summary } from "./merge/summary.ts";
import { settings } from "./settings.ts";
import { translateDay } from "./translate/translate-day.ts";

/** The run's input. Every field has a default, so a schedule need not name any. */
export const SOURCE = z
  .strictObject({
    bars: z
      .string()
      .min(1)
      .default(join(settings.MARKET_DATA_OUT, "bars"))
      .describe("Folder of minute bars, one file per instrument and day."),
    out: z.string().min(1).default(settings.MARKET_DATA_OUT).describe("Folder for the results."),
    faults: z.string().min(1).optional().describe("A file of faults to order; see fault/fault.ts."),
  })
  .prefault({});

/** The checked input. */
export type Source = z.infer<typeof SOURCE>;

interface WithSource {
  readonly source: Source;
}

/** One day to translate. */
export interface IndexedDay extends Day {
  /** Of which making its translated file is to be. */
  readonly mark: string;
}

async function meetFaults({ source }: WithSource, context: Context): Promise<void> {
  if (source.faults === undefined) return;
  await meetFault(parseFaults(await readFile(source.faults, "utf8")), context);
}

/** Path of a translated file in the folder of results. */
function toFile({
  instrument,
  day,
}: {
  readonly instrument: string;
  readonly day: string;
}): string {
  return `translated/${instrument}_1m_${day}.csv`;
}

/** "ES/2019-11-01": a day's key in every map. */
export function toKey(day: {
  readonly instrument: string;
  readonly day: string;
}): readonly string[] {
  return [day.instrument, day.day];
}

/** Which day the rows of each file belong to. Fails for good when the folder cannot be read. */
export async function indexFiles(needs: WithSource, context: Context): Promise<IndexedDay[]> {
  await meetFaults(needs, context);
  const { days, unknown } = await listFolder(resolve(needs.source.bars));
  for (const name of unknown) context.log.warn(`"${name}" is no file of bars and is left out`);
  const out = resolve(needs.source.out);
  const ledger = await readLedger(out);
  const newMark = context.runId;
  return await Promise.all(
    days.map(async (day) => ({
      ...day,
      mark: await findMark(ledger, { out, file: toFile(day), newMark }),
    })),
  );
}

async function listFolder(folder: string): ReturnType<typeof listDays> {
  try {
    return await listDays(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PermanentError(
      `the folder "${folder}" cannot be read: ${reason}. make-bars.ts writes the bundled one.`,
      { cause: error },
    );
  }
}

/** All that a translated file depends on, and which making of it lies in the folder. */
export function toTranslateKey({ instrument, day, sources, mark }: IndexedDay): string {
  return JSON.stringify([instrument, day, sources, mark]);
}

/** A day whose translated file was written. */
export interface Translated {
  readonly instrument: string;
  readonly day: string;
  /** Path of its file. */
  readonly path: string;
  readonly sha256: string;
  readonly bars: number;
}

/** The files of a day to one, in the exchange's time. Safe to repeat. */
export async function translateFiles(
  { instrument, day, sources }: IndexedDay,
  needs: WithSource,
  context: Context,
): Promise<Translated> {
  await meetFaults(needs, context);
  const files = sources.map(async ({ file, sha256 }) => {
    const text = await readFile(join(resolve(needs.source.bars), file), "utf8");
    if (hashOf(text) === sha256) return { file, text };
    throw new PermanentError(`"${file}" has changed since the run began. Start another run.`);
  });
  const made = translateDay({ instrument, day }, await Promise.all(files));
  if (made.dropped > 0) context.log.warn(`${made.dropped} rows of other days were left out`);
  context.metric.increment("bars", made.bars);
  const path = join(resolve(needs.source.out), toFile({ instrument, day }));
  await replaceFile(path, made.text);
  return { instrument, day, path, sha256: hashOf(made.text), bars: made.bars };
}

/** Reads the file again: what is not on the disk as it was translated was not done. */
export async function verifyTranslated({ path, sha256 }: Translated): Promise<void> {
  const found = hashOf(await readFile(path, "utf8"));
  if (found !== sha256) throw new Error(`"${path}" has hash ${found}, expected ${sha256}`);
}

/** All that the analysis of a day depends on. */
export function toAnalyzeKey({ instrument, day, sha256 }: Translated): string {
  return JSON.stringify([instrument, day, sha256]);
}

/** The rows of a day, from the analyzer. Skipped where there are no bars. */
export async function analyzeFile(
  { instrument, day, path, bars }: Translated,
  { source }: WithSource,
  context: Context,
): Promise<readonly AnalysisRow[] | Skip> {
  if (bars === 0) return skip("no_bars");
  const { stage, attempt, dir, item } = context;
  const place = { stage, attempt, dir, item: { key: item?.key ?? "" } };
  const faults = source.faults === undefined ? {} : { faults: resolve(source.faults) };
  return await runAnalyzer({ instrument, day, path, place, ...faults }, context);
}

interface Worked extends WithSource {
  readonly days: readonly IndexedDay[];
  readonly translated: readonly ItemOutcome<Translated>[];
  readonly analyzed: readonly ItemOutcome<readonly AnalysisRow[]>[];
}

/** Rows to monthly tables, and what became of every day to summary.json. Safe to repeat. */
export async function mergeTables(needs: Worked, context: Context): Promise<Summary> {
  await meetFaults(needs, context);
  const out = resolve(needs.source.out);
  const tables = await mergeRows(
    out,
    needs.analyzed.flatMap(({ value }) => value ?? []),
  );
  const summary = summarize(toResults(needs), tables);
  await replaceFile(join(out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  await writeLedger(out, { days: toLedgerDays(needs) });
  context.metric.set("written", summary.written);
  context.metric.set("skipped", summary.skipped);
  context.metric.set("failed", summary.failed);
  return summary;
}

function toLedgerDays({
  days,
  translated,
}: Worked): Record<string, { readonly mark: string; readonly sha256: string }> {
  const entries = translated.flatMap(({ index, value }) => {
    const mark = days[index]?.mark;
    return value === undefined || mark === undefined
      ? []
      : [[toFile(value), { mark, sha256: value.sha256 }] as const];
  });
  return Object.fromEntries(entries);
}

function toResults({ days, translated, analyzed }: Worked): DayResult[] {
  const rowsByDay = new Map(analyzed.map((outcome) => [outcome.key, outcome]));
  return translated.map((outcome) => {
    const day = toKey(days[outcome.index] ?? { instrument: "", day: outcome.key }).join("/");
    if (outcome.status !== "succeeded") return leaveOut(day, "translate", outcome);
    const found = rowsByDay.get(outcome.key);
    if (found?.status === "succeeded") {
      return { state: "written", bars: outcome.value.bars, rows: found.value.length };
    }
    return leaveOut(day, "analyze", found);
  });
}

function leaveOut(
  day: string,
  stage: "translate" | "analyze",
  outcome: ItemOutcome<unknown> | undefined,
): DayResult {
  if (outcome?.status === "skipped") {
    return { state: "skipped", leftOut: { day, stage, reason: outcome.reason } };
  }
  const error = outcome?.status === "failed" ? outcome.error?.message : undefined;
  const reason = error ?? outcome?.status ?? "never came to it";
  return { state: "failed", leftOut: { day, stage, reason } };
}
