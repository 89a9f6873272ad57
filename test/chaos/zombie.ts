// Suite "zombie": a worker is frozen in the middle of its runs (SIGSTOP), others take them when its leases are over
// and finish them; it thaws meanwhile or afterwards, and nothing that it still writes may change a row. Every second one is frozen at a
// random moment, the others in user code, whose result it then sends before it looks at any clock.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeSeededRandom } from "../../src/std/random.ts";
import type { LeaseTerms } from "../../src/model/lease.ts";
import { rowsOf } from "../e2e/kill/judge.ts";
import { Child } from "./child.ts";
import { makePassages, Scene } from "./scene.ts";
import { removeFolder, type Suite, type Tally, type Trial } from "./suite.ts";

/** Short, so that a frozen worker's runs are free after a second. */
const LEASE: Partial<LeaseTerms> = {
  leaseMs: 1_000,
  heartbeatMs: 100,
  misses: 1,
  callMs: 100,
  pauseMs: 500,
  stopMs: 200,
  graceMs: 100,
};
const RUNS = 4;
const ITEMS = 12;
const FREEZE_MS_MAX = 150;
const FREEZES_MAX = 100;
/** Less than the first two runs have. */
const EFFECTS_MAX = 60;
const FROZEN_LOOKS_MAX = 4_000;
const TABLES = ["runs", "run_inputs", "stages", "items", "memos", "run_state", "retries"];
const COUNTERS = ["item_counters", "run_counters", "events", "cache"];

/** Where it is frozen, and when it thaws. */
interface Kind {
  readonly inCode: boolean;
  readonly isEarly: boolean;
}

async function freezeOne(folder: string, seed: number, { inCode, isEarly }: Kind): Promise<Tally> {
  const random = makeSeededRandom(seed);
  const scene = new Scene(folder);
  const passages = makePassages(`z${seed}`, RUNS, ITEMS);
  await scene.enqueue(passages);
  const freezeAt = 1 + Math.floor(random.float() * EFFECTS_MAX);
  const more = inCode ? { freezeAt } : {};
  const zombie = new Child(scene.job({ lease: LEASE, concurrency: 2, ...more }));
  // In user code it may freeze before it says that the run has begun.
  await zombie.heard(inCode ? "opened" : "begun");
  if (inCode) await untilFrozen(zombie);
  else await pause(random.float() * FREEZE_MS_MAX);
  const freezes = await freeze(scene, zombie);
  const held = heldBy(scene, zombie.pid);
  const drained = scene.drain({ lease: LEASE });
  // Early: while others still work on its runs. Late: what has ended must not change in a single row.
  if (isEarly) await untilTaken(scene, held);
  else await drained;
  const before = isEarly ? null : dump(scene);
  zombie.kill("SIGCONT");
  const ended = await zombie.ended;
  await drained;
  assertTold(scene, held);
  assert.equal(ended.code, 0, `the zombie ended with ${ended.code}: ${ended.stderr}`);
  if (before !== null) assert.deepEqual(dump(scene), before, "the zombie changed a row");
  assert.deepEqual(zombie.runsOf("failed"), []);
  const claimed = new Set(zombie.runsOf("succeeded"));
  for (const id of held) assert.ok(!claimed.has(id), `the zombie took run ${id} for its own`);
  scene.judgeRows();
  await scene.judgeResults(passages);
  scene.remove();
  return {
    [held.length > 0 ? "zombies" : "held nothing"]: 1,
    "runs taken": held.length,
    "told lost": zombie.runsOf("lost").length,
    "late writes refused": zombie.runsOf("refused").length,
    "thawed for its lock": freezes - 1,
  };
}

/** Resolves when a process has frozen itself. */
async function untilFrozen(child: Child): Promise<void> {
  const { pid } = child;
  for (let looks = 0; looks < FROZEN_LOOKS_MAX; looks += 1) {
    // The state is the first word after the name, which is in brackets.
    if (/\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) return;
    await pause(5);
  }
  throw new Error("The process did not freeze itself.");
}

/** Freezes a process, but not while it holds the write lock: then nobody could take anything from it. */
async function freeze(scene: Scene, child: Child): Promise<number> {
  for (let freezes = 1; freezes <= FREEZES_MAX; freezes += 1) {
    if (!child.kill("SIGSTOP")) return freezes;
    if (isLockFree(scene)) return freezes;
    child.kill("SIGCONT");
    // Longer each time: on a busy machine it may not get to run at once.
    await pause(freezes);
  }
  throw new Error("The write lock was never free.");
}

function isLockFree(scene: Scene): boolean {
  const database = new DatabaseSync(scene.store, { timeout: 0 });
  try {
    database.exec("BEGIN IMMEDIATE");
    database.exec("ROLLBACK");
    return true;
  } catch {
    return false;
  } finally {
    database.close();
  }
}

/** Resolves when somebody else has claimed all of these runs. */
async function untilTaken(scene: Scene, held: readonly string[]): Promise<void> {
  for (let looks = 0; looks < FROZEN_LOOKS_MAX; looks += 1) {
    const taken = read(scene, (database) =>
      rowsOf(database, `SELECT id FROM runs WHERE epoch > 1 AND lease_pid = ${process.pid}`),
    ).map((row) => row["id"]);
    const ended = read(scene, (database) =>
      rowsOf(database, `SELECT id FROM runs WHERE state = 'succeeded'`),
    ).map((row) => row["id"]);
    if (held.every((id) => taken.includes(id) || ended.includes(id))) return;
    await pause(1);
  }
  throw new Error("Nobody took the frozen worker's runs.");
}

function heldBy(scene: Scene, pid: number): readonly string[] {
  return read(scene, (database) =>
    rowsOf(database, `SELECT id FROM runs WHERE state = 'running' AND lease_pid = ${pid}`),
  ).map((row) => String(row["id"]));
}

/** Of every run that was taken an event tells. */
function assertTold(scene: Scene, held: readonly string[]): void {
  const told = read(scene, (database) =>
    rowsOf(
      database,
      `SELECT DISTINCT runs.id FROM events JOIN runs ON runs.number = events.run
       WHERE events.type = 'run.reclaimed'`,
    ),
  ).map((row) => String(row["id"]));
  assert.deepEqual(told.toSorted(), held.toSorted(), "runs that were taken, and events of it");
}

/** All rows but those of who works. */
function dump(scene: Scene): unknown {
  return read(scene, (database) =>
    [...TABLES, ...COUNTERS].map((table) => [table, rowsOf(database, `SELECT * FROM ${table}`)]),
  );
}

function read<T>(scene: Scene, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(scene.store, { readOnly: true, timeout: 10_000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

// The only moment that can be chosen in another process is one of the clock.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const zombie: Suite = {
  name: "zombie",
  countDefault: 10,
  missing: () => (process.platform === "linux" ? null : "only Linux says who is frozen"),
  async prepare({ seed, count, folder }): Promise<readonly Trial[]> {
    removeFolder(folder);
    return Array.from({ length: count }, (_, index) => ({
      name: `zombie ${index}`,
      run: () =>
        freezeOne(join(folder, `zombie-${index}`), seed * 10_000 + index, {
          inCode: index % 2 === 0,
          isEarly: index % 4 >= 2,
        }),
    }));
  },
};
