// Works a queue on a small disk that fills up: what else lies there is removed once the work stands still for want
// of room, and then everything ends. Says how it went; runs in a private mount of its own.

import { rmSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { openMillrace } from "../../src/exports/index.ts";
import { makeReference, type Passage } from "../e2e/kill/reference-pipeline.ts";

/** What is done on the small disk. */
export interface DiskJob {
  /** In the folder that is the small disk. */
  readonly store: string;
  /** Elsewhere. */
  readonly effects: string;
  readonly passages: readonly Passage[];
  /** What else lies on the disk, bytes. */
  readonly ballastBytes: number;
}

const LOOK_MS = 100;
/** So long nothing may have ended before the work counts as standing still. */
const STILL_MS = 2_500;
/** Less than this is no room: a blob needs half of it, and SQLite its share. */
const ROOM_BYTES = 512 * 1024;

const job: DiskJob = JSON.parse(process.argv[2] ?? "");
const folder = dirname(job.store);
const ballast = join(folder, "ballast");
const reference = makeReference(job.effects);
const mill = await openMillrace({ store: `sqlite:${job.store}`, pipelines: [reference] });
const entries = job.passages.map((passage) => ({ key: passage.salt, input: passage }));
await mill.enqueue(reference, entries);
writeFileSync(ballast, Buffer.alloc(job.ballastBytes, 1));

let ended = 0;
let movedMs = performance.now();
let pausedAt = -1;
const look = setInterval(() => {
  const stillMs = performance.now() - movedMs;
  const { bavail, bsize } = statfsSync(folder);
  if (pausedAt >= 0 || stillMs < STILL_MS || bavail * bsize > ROOM_BYTES) return;
  pausedAt = ended;
  rmSync(ballast);
}, LOOK_MS);
const states: string[] = [];
await mill.work({
  drain: true,
  concurrency: 3,
  onRun: (run) => {
    run.result().then(
      ({ state }) => {
        ended += 1;
        movedMs = performance.now();
        states.push(state);
      },
      (error: unknown) => states.push(String(error)),
    );
  },
});
clearInterval(look);
const wrong: string[] = [];
for (const passage of job.passages) {
  const wanted = await makeReference(undefined).run(passage);
  const { runs } = await mill.runs({ limit: 500 });
  const run = runs.find(({ key }) => key === passage.salt);
  const found = run === undefined ? undefined : await mill.result(run.id);
  if (JSON.stringify(found?.outputs) !== JSON.stringify(wanted.outputs)) wrong.push(passage.salt);
}
await mill.close();
const bad = states.filter((state) => state !== "succeeded");
writeSync(1, `${JSON.stringify({ pausedAt, ended, bad, wrong })} -\n`);
