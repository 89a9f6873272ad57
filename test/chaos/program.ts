// The process that meets the chaos: queues runs of the reference pipeline, or works their queue until it is drained.
// What it is sure of it says on its standard output, one word and a run per line, after the commit that makes it
// so, and with a call that has returned when the next thing happens. Its only argument is a job as JSON.

import { writeSync } from "node:fs";
import { openMillrace } from "../../src/exports/index.ts";
import type { LeaseTerms } from "../../src/model/lease.ts";
import type { RunState } from "../../src/model/run.ts";
import { isMillraceError } from "../../src/model/errors.ts";
import { SqliteStore } from "../../src/storage/sqlite/sqlite-store.ts";
import type { Store } from "../../src/storage/store.ts";
import type { Write } from "../../src/storage/write.ts";
import { makeReference, type Passage } from "../e2e/kill/reference-pipeline.ts";

/** What a process does. */
export interface Job {
  /** Path of the store. */
  readonly store: string;
  /** Path of the file of effects. */
  readonly effects: string;
  /** Runs to queue before it works. */
  readonly passages: readonly Passage[];
  readonly work: boolean;
  readonly concurrency?: number;
  readonly lease?: Partial<LeaseTerms>;
  /** It freezes itself when user code leaves its line of this number in the file of effects. */
  readonly freezeAt?: number;
}

/** `queued`: its enqueue resolved. `succeeded`, `failed`, `returned`: its result did. `lost`: its lease went to another.
 *  `refused`: so was a write. */
export type Word =
  | "opened"
  | "queued"
  | "begun"
  | "succeeded"
  | "failed"
  | "returned"
  | "lost"
  | "refused"
  | "fault";

const say = (word: Word, run: string): void => void writeSync(1, `${word} ${run}\n`);

/** Tells of every write that the store refuses: nobody else hears of those that nobody waits for. */
function watchRefusals(): void {
  const { value } = Object.getOwnPropertyDescriptor(SqliteStore.prototype, "apply") ?? {};
  // It is what the class says: there is no other way to stand between the store and its writers.
  const apply = value as (
    this: SqliteStore,
    writes: readonly Write[],
  ) => ReturnType<Store["apply"]>;
  SqliteStore.prototype.apply = async function (writes) {
    const results = await apply.call(this, writes);
    for (const { kind } of results) if (kind === "lease-lost") say("refused", "-");
    return results;
  };
}

/** Freezes this process at a call of user code. */
function armFreeze(at: number): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count === at) process.kill(process.pid, "SIGSTOP");
  };
}

/** Those that wait for the shared resource in their queue went back to it. */
function toWord(state: RunState): Word {
  if (state === "queued" || state === "waiting") return "returned";
  return state === "succeeded" ? state : "failed";
}

const job: Job = JSON.parse(process.argv[2] ?? "");
if (job.lease !== undefined) watchRefusals();
const reference = makeReference(job.effects, {
  isShared: true,
  onEffect: job.freezeAt === undefined ? undefined : armFreeze(job.freezeAt),
});
const mill = await openMillrace({
  store: `sqlite:${job.store}`,
  pipelines: [reference],
  ...(job.lease === undefined ? {} : { lease: job.lease }),
});
say("opened", "-");
if (job.passages.length > 0) {
  const entries = job.passages.map((passage) => ({ key: passage.salt, input: passage }));
  const { runs } = await mill.enqueue(reference, entries);
  for (const { run } of runs) say("queued", run.id);
}
if (job.work) {
  await mill.work({
    drain: true,
    ...(job.concurrency === undefined ? {} : { concurrency: job.concurrency }),
    onRun: (run) => {
      say("begun", run.id);
      run.result().then(
        ({ state }) => say(toWord(state), run.id),
        (error: unknown) => {
          const isLost = isMillraceError(error) && error.code === "LEASE_LOST";
          say(isLost ? "lost" : "fault", run.id);
        },
      );
    },
  });
}
await mill.close();
