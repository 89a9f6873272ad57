// Suite "busy": two workers, and somebody else at the same file: a writer who holds the lock for random times, one
// who checkpoints all the time, a reader who stays for ever. All runs end, and none fails because of it. Every tenth
// trial is a hard one: locks are held for longer than anybody waits, and the reader stays for a minute.

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeSeededRandom, type Random } from "../../src/std/random.ts";
import { Child } from "./child.ts";
import { makePassages, Scene } from "./scene.ts";
import { removeFolder, type Suite, type Tally, type Trial } from "./suite.ts";

const KINDS = ["writer", "checkpoints", "reader"] as const;
type Kind = (typeof KINDS)[number];

interface Bounds {
  readonly runs: number;
  readonly heldMsMax: number;
  readonly readMs: number;
}
const SOFT: Bounds = { runs: 10, heldMsMax: 400, readMs: 0 };
/** Longer than the five seconds that SQLite waits. */
const HARD: Bounds = { runs: 10, heldMsMax: 8_000, readMs: 60_000 };
const ITEMS = 4;
/** SQLite asks again ten times a second: a shorter gap lets nobody in. */
const GAP_MS_MAX = 300;

interface Disturbance {
  readonly database: DatabaseSync;
  readonly random: Random;
  readonly bounds: Bounds;
  readonly isOver: () => boolean;
}

/** Each disturbs until all is over, and counts how often. */
const DISTURB: Readonly<Record<Kind, (disturbance: Disturbance) => Promise<number>>> = {
  async writer({ database, random, bounds, isOver }) {
    let count = 0;
    while (!isOver()) {
      if (attempt(database, "BEGIN IMMEDIATE")) {
        count += 1;
        await pause(random.float() * bounds.heldMsMax);
        database.exec("ROLLBACK");
      }
      await pause(random.float() * GAP_MS_MAX);
    }
    return count;
  },
  async checkpoints({ database, isOver }) {
    let count = 0;
    while (!isOver()) {
      if (attempt(database, "PRAGMA wal_checkpoint(TRUNCATE)")) count += 1;
      await pause(1);
    }
    return count;
  },
  async reader({ database, bounds, isOver }) {
    const untilMs = performance.now() + bounds.readMs;
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM runs").get();
    while (!isOver() || performance.now() < untilMs) await pause(20);
    database.exec("COMMIT");
    return 1;
  },
};

async function disturb(
  folder: string,
  { seed, kind, bounds }: { seed: number; kind: Kind; bounds: Bounds },
): Promise<Tally> {
  const scene = new Scene(folder);
  const passages = makePassages(`b${seed}`, bounds.runs, ITEMS);
  await scene.enqueue(passages);
  const database = new DatabaseSync(scene.store, { timeout: 20 });
  let isOver = false;
  const random = makeSeededRandom(seed);
  const disturbed = DISTURB[kind]({ database, random, bounds, isOver: () => isOver });
  const workers = [0, 1].map(() => new Child(scene.job({ concurrency: 4 })));
  try {
    for (const { ended } of workers) {
      const { code, stderr, said } = await ended;
      assert.equal(code, 0, stderr);
      const bad = said.filter(({ word }) => word === "failed" || word === "fault");
      assert.deepEqual(bad, []);
    }
  } finally {
    isOver = true;
    await disturbed;
    database.close();
  }
  // A worker may find the queue empty, and another one's runs back in it after its end.
  await scene.drain();
  await scene.judge(passages);
  scene.remove();
  return { [`${kind} trials`]: 1, disturbances: await disturbed, runs: passages.length };
}

function attempt(database: DatabaseSync, sql: string): boolean {
  try {
    database.exec(sql);
    return true;
  } catch {
    return false; // the others were faster
  }
}

// What disturbs does it for a while: there is nothing else to wait for.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const busy: Suite = {
  name: "busy",
  countDefault: 3,
  missing: () => null,
  async prepare({ seed, count, folder }): Promise<readonly Trial[]> {
    removeFolder(folder);
    return Array.from({ length: count }, (_, index) => {
      const kind = KINDS[index % KINDS.length] ?? "writer";
      const isHard = index % 10 === 9;
      return {
        name: `${isHard ? "hard " : ""}${kind} ${index}`,
        run: () =>
          disturb(join(folder, `${index}`), {
            seed: seed * 10_000 + index,
            kind,
            bounds: isHard ? HARD : SOFT,
          }),
      };
    });
  },
};
