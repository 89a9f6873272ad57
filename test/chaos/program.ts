// The process that meets the chaos: queues runs of the reference pipeline, or works their queue until it is drained.
// What it is sure of it says on its standard output, one word and a run per line, after the commit that makes it
// so, and with a call that has returned when the next thing happens. Its only argument is a job as JSON.

import { writeSync } from "node:fs";
import { openMillrace } from "../../src/exports/index.ts";
import type { LeaseTerms } from "../../src/model/lease.ts";
import { isMillraceError } from "../../src/model/errors.ts";
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
}

/** `queued`: its enqueue resolved. `succeeded`, `failed`, `returned`: its result did. `lost`: its lease went to another. */
export type Word =
  | "opened"
  | "queued"
  | "begun"
  | "succeeded"
  | "failed"
  | "returned"
  | "lost"
  | "fault";

const say = (word: Word, run: string): void => void writeSync(1, `${word} ${run}\n`);

const job: Job = JSON.parse(process.argv[2] ?? "");
const reference = makeReference(job.effects);
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
        ({ state }) =>
          say(state === "succeeded" ? state : state === "queued" ? "returned" : "failed", run.id),
        (error: unknown) => {
          const isLost = isMillraceError(error) && error.code === "LEASE_LOST";
          say(isLost ? "lost" : "fault", run.id);
        },
      );
    },
  });
}
await mill.close();
