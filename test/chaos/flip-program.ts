// Opens damaged copies of a store, one after the other, reads every result and works what is queued, and says of
// each how it went. A copy may do to this process what it likes: others watch over it.

import { writeSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isMillraceError, openMillrace, type Millrace } from "../../src/exports/index.ts";
import { makeReference } from "../e2e/kill/reference-pipeline.ts";

/** What to read. */
export interface FlipJob {
  readonly copies: readonly { readonly store: string; readonly place: string }[];
  /** By the id of a run: its outputs as JSON. */
  readonly wanted: Readonly<Record<string, string>>;
}

/** Time that a copy has to be drained, ms: hundreds of times what it takes. */
const DRAIN_MS_MAX = 15_000;

type Outcome = "right" | "refused" | "reported" | "untyped" | "stuck" | "wrong";

/** From harmless to bad: a copy is as bad as the worst of its runs. */
const OUTCOMES: readonly Outcome[] = ["right", "reported", "refused", "untyped", "stuck", "wrong"];

async function readCopy(store: string): Promise<Outcome> {
  let mill: Millrace | undefined;
  try {
    const pipelines = [makeReference(undefined, { isShared: true })];
    mill = await openMillrace({ store: `sqlite:${store}`, pipelines, onWarning: () => undefined });
    const outcomes: Outcome[] = [];
    // What ended before the damage, then what is worked on after it.
    for (const id of Object.keys(job.wanted)) outcomes.push(await readRun(mill, id, true));
    const stop = AbortSignal.timeout(DRAIN_MS_MAX);
    await mill.work({ drain: true, signal: stop, stopAfterMs: 0 });
    if (stop.aborted) outcomes.push("stuck");
    for (const id of Object.keys(job.wanted)) outcomes.push(await readRun(mill, id, false));
    return OUTCOMES.findLast((outcome) => outcomes.includes(outcome)) ?? "right";
  } catch (error) {
    return toOutcome(error);
  } finally {
    await mill?.close().catch(() => undefined);
  }
}

async function readRun(mill: Millrace, id: string, mayBeOpen: boolean): Promise<Outcome> {
  try {
    const { state } = await mill.run(id);
    if (mayBeOpen && state === "queued") return "right";
    const result = await mill.result(id);
    if (result.state !== "succeeded") return "reported";
    const isRight = isDeepStrictEqual(result.outputs, JSON.parse(job.wanted[id] ?? "null"));
    return isRight ? "right" : "wrong";
  } catch (error) {
    return toOutcome(error);
  }
}

function toOutcome(error: unknown): Outcome {
  if (isMillraceError(error)) return "refused";
  process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
  return "untyped";
}

const job: FlipJob = JSON.parse(process.argv[2] ?? "");
for (const { store, place } of job.copies) {
  const outcome = await readCopy(store);
  writeSync(1, `${outcome} ${place}\n`);
}
