// The process that is killed: goes on with every run that is left in the store, then makes new ones. It can kill
// itself right before or right after one of its commits, with a signal that nothing can catch. Its only argument
// is a job as JSON.

import { SqliteStore } from "../../../src/storage/sqlite/sqlite-store.ts";
import type { Store } from "../../../src/storage/store.ts";
import type { Write } from "../../../src/storage/write.ts";
import { openMillrace, type Millrace } from "../../../src/exports/index.ts";
import { makeReference, type Passage } from "./reference-pipeline.ts";

/** What a process does. */
export interface Job {
  readonly store: string;
  readonly effects: string;
  /** New runs after those that were left; their salts begin with this. */
  readonly salt: string;
  readonly runs: number;
  readonly items: number;
  /** The process ends itself at this commit of its own, counted from its opening or from its first new run. */
  readonly kill?: {
    readonly from: "open" | "start";
    readonly commit: number;
    readonly when: "before" | "after";
  };
}

/** What it says, one line each. */
export type Word = "opening" | "working";

const say = (word: Word): void => void process.stdout.write(`${word}\n`);

/** Counts commits and dies at the one that was asked for. */
function armKill(kill: NonNullable<Job["kill"]>): { start(): void } {
  let isCounting = kill.from === "open";
  let count = 0;
  const { value } = Object.getOwnPropertyDescriptor(SqliteStore.prototype, "apply") ?? {};
  // It is what the class says: there is no other way to stand between the store and its commits.
  const apply = value as (
    this: SqliteStore,
    writes: readonly Write[],
  ) => ReturnType<Store["apply"]>;
  SqliteStore.prototype.apply = function (writes) {
    if (isCounting) count += 1;
    if (count === kill.commit && kill.when === "before") process.kill(process.pid, "SIGKILL");
    // The transaction is committed when this call returns, before anybody hears of it.
    const result = apply.call(this, writes);
    if (count === kill.commit) process.kill(process.pid, "SIGKILL");
    return result;
  };
  return { start: () => void (isCounting = true) };
}

async function finishLeft(mill: Millrace): Promise<void> {
  const { runs } = await mill.runs({ states: ["running", "waiting"] });
  for (const { id } of runs) await expectSuccess(await mill.resume(id, { here: true }));
}

async function expectSuccess(run: {
  readonly name: string;
  result(): Promise<{ readonly state: string; readonly errors: unknown }>;
}): Promise<void> {
  const result = await run.result();
  if (result.state !== "succeeded")
    throw new Error(`Run ${run.name} ended ${result.state}: ${JSON.stringify(result.errors)}`);
}

const job: Job = JSON.parse(process.argv[2] ?? "");
const reference = makeReference(job.effects);
const armed = job.kill === undefined ? undefined : armKill(job.kill);
say("opening");
const mill = await openMillrace({ store: job.store, pipelines: [reference] });
say("working");
await finishLeft(mill);
armed?.start();
for (let run = 0; run < job.runs; run += 1) {
  const passage: Passage = { salt: `${job.salt}-${run}`, items: job.items };
  await expectSuccess(await mill.start(reference, passage));
}
await mill.close();
