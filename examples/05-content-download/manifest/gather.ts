// Gathers what all runs of a store came to: `manifest.jsonl`, one line per document, and `summary.json`. Documents
// come in the order of their ids, so that equal ends give equal bytes, whoever did them and in which order.
import { join } from "node:path";
import type { Millrace } from "millrace";
import { replaceFile } from "../store/content-store.ts";
import { findRecord, toBareRecord } from "./record.ts";
import type { ManifestRecord } from "./record.ts";

/** A run as the store tells it. */
export type RunView = Awaited<ReturnType<Millrace["runs"]>>["runs"][number];

/** What became of one document. */
export interface Line {
  readonly run: RunView;
  readonly record: ManifestRecord;
}

/** All documents in numbers. */
export interface Summary {
  readonly total: number;
  readonly succeeded: number;
  readonly skipped: number;
  readonly failed: number;
  /** Runs that have not ended yet; they have no line. */
  readonly open: number;
  /** Documents by the resolver that found them. */
  readonly resolvers: Readonly<Record<string, number>>;
  readonly skippedBy: Readonly<Record<string, number>>;
  /** Different files, and their bytes. */
  readonly files: number;
  readonly bytes: number;
}

/** What was gathered. */
export interface Gathered {
  readonly lines: readonly Line[];
  readonly summary: Summary;
}

/** Reads the store and the lines that runs left. Writes nothing. */
export async function gather(mill: Millrace, out: string): Promise<Gathered> {
  const lines: Line[] = [];
  let open = 0;
  for (const document of await listLatest(mill)) {
    const { run } = document;
    if (["succeeded", "skipped", "failed", "cancelled"].includes(run.state)) {
      lines.push({ run, record: await readLine(document, out) });
    } else open++;
  }
  lines.sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
  return { lines, summary: summarize(lines, open) };
}

/** Writes both files. */
export async function writeManifest(out: string, { lines, summary }: Gathered): Promise<void> {
  const text = lines.map(({ record }) => `${JSON.stringify(record)}\n`).join("");
  await replaceFile(join(out, "manifest.jsonl"), text);
  await replaceFile(join(out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
}

/** A run and the document it was for. */
interface DocumentRun {
  readonly id: string;
  readonly run: RunView;
}

/** The newest run of every document: one that was done again counts once. */
async function listLatest(mill: Millrace): Promise<readonly DocumentRun[]> {
  const runs = await listRuns(mill);
  const byId = new Map(runs.map((run) => [run.id, run]));
  // A run that was queued again has no key of its own, but a parent that has.
  const toId = (run: RunView): string => {
    const parent = byId.get(run.parent ?? "");
    return run.key ?? (parent === undefined ? run.id : toId(parent));
  };
  const latest = new Map<string, RunView>();
  for (const run of runs) if (!latest.has(toId(run))) latest.set(toId(run), run);
  return [...latest].map(([id, run]) => ({ id, run }));
}

/** Newest first. */
async function listRuns(mill: Millrace): Promise<readonly RunView[]> {
  const runs: RunView[] = [];
  let cursor: string | undefined;
  do {
    const from = cursor === undefined ? {} : { cursor };
    const page = await mill.runs({ pipeline: "content-download", limit: 500, ...from });
    runs.push(...page.runs);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return runs;
}

/** A run that no stage was started of (its input was no line of a list) has left no line of its own. */
async function readLine({ id, run }: DocumentRun, out: string): Promise<ManifestRecord> {
  const record = await findRecord(out, run.id);
  if (record !== undefined) return record;
  const reason = run.error?.code ?? run.error?.message ?? run.reason ?? run.state;
  return toBareRecord(id, reason);
}

function summarize(lines: readonly Line[], open: number): Summary {
  const records = lines.map(({ record }) => record);
  const having = (outcome: ManifestRecord["outcome"]): readonly ManifestRecord[] =>
    records.filter((record) => record.outcome === outcome);
  const succeeded = having("succeeded");
  const files = new Map(succeeded.map(({ file, bytes }) => [file, bytes ?? 0]));
  return {
    total: lines.length + open,
    succeeded: succeeded.length,
    skipped: having("skipped").length,
    failed: having("failed").length,
    open,
    resolvers: countBy(succeeded.map(({ resolver }) => resolver ?? "none")),
    skippedBy: countBy(having("skipped").map(({ reason }) => reason ?? "skipped")),
    files: files.size,
    bytes: [...files.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}

function countBy(words: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const word of words.toSorted()) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries(counts);
}
