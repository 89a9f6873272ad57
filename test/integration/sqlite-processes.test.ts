import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, test } from "vitest";
import { isMillraceError } from "../../src/model/errors.ts";
import { systemClock } from "../../src/std/clock.ts";
import { makeSeededRandom, systemRandom } from "../../src/std/random.ts";
import { GroupCommit } from "../../src/storage/group-commit.ts";
import { MIGRATIONS } from "../../src/storage/sqlite/schema.ts";
import type { Store } from "../../src/storage/store.ts";
import {
  applyRun,
  createRun,
  encoded,
  putStage,
  tell,
} from "../../src/testing/store-suite/fixture.ts";
import {
  makeSqliteWorld,
  OPEN_STORE,
  outputOf,
  type SqliteWorld,
} from "../support/sqlite-world.ts";

/** Asserts what must hold of any store: structure, references, counters, gap-free numbers. */
function assertSound(world: SqliteWorld, path?: string): void {
  const database = world.raw(path);
  assert.deepEqual(
    database
      .prepare("PRAGMA integrity_check")
      .all()
      .map((row) => row["integrity_check"]),
    ["ok"],
  );
  assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
  const gaps = database
    .prepare(
      `SELECT number, state, run_seq, (SELECT count(*) FROM events WHERE run = number) AS told,
         (SELECT coalesce(max(run_seq), 0) FROM events WHERE run = number) AS last FROM runs`,
    )
    .all();
  for (const row of gaps) {
    assert.equal(row["last"], row["told"], JSON.stringify(row));
    // The row of a run that is worked on is written at its moves; between them its last event tells the number.
    if (row["state"] !== "running") assert.equal(row["run_seq"], row["told"], JSON.stringify(row));
  }
  const wrong = database
    .prepare(
      `SELECT run, stage, state, count(*) AS n FROM items GROUP BY run, stage, state
       EXCEPT SELECT run, stage, state, count FROM item_counters`,
    )
    .all();
  assert.deepEqual(wrong, []);
  const wrongRuns = database
    .prepare(
      `SELECT pipeline, state, count(*) AS n FROM runs GROUP BY pipeline, state
       EXCEPT SELECT pipeline, state, count FROM run_counters`,
    )
    .all();
  assert.deepEqual(wrongRuns, []);
  const meta = database
    .prepare(
      `SELECT last_event_seq = (SELECT coalesce(max(seq), 0) FROM events) AS events,
         last_run_number = (SELECT coalesce(max(number), 0) FROM runs) AS runs FROM meta`,
    )
    .get();
  assert.deepEqual({ ...meta }, { events: 1, runs: 1 });
  database.close();
}

describe("processes that share a store", () => {
  test("two that make it at once both get it, twenty times over", async () => {
    const world = makeSqliteWorld();
    // Each opens the store of a round as soon as it reads its number, and answers with the number of its run.
    const program = `
      const { openSqliteStore } = await import(src + "storage/sqlite/open.ts");
      const { systemClock: clock } = await import(src + "std/clock.ts");
      const { systemMachine: machine } = await import(src + "std/machine.ts");
      const fixture = await import(src + "testing/store-suite/fixture.ts");
      const { createInterface } = await import("node:readline");
      process.stdout.write("ready\\n");
      for await (const round of createInterface({ input: process.stdin })) {
        const file = path + round;
        const store = await openSqliteStore({ url: "sqlite:" + file, path: file, clock, machine, mode: "write" });
        const run = await fixture.applyRun(store, fixture.createRun({ id: "run-" + process.pid }));
        await store.close();
        process.stdout.write(run.number + "\\n");
      }`;
    const children = [world.start(program), world.start(program)].map(talkTo);
    await Promise.all(children.map((child) => child.hear()));
    for (let round = 0; round < 20; round++) {
      for (const child of children) child.say(String(round));
      const numbers = await Promise.all(children.map((child) => child.hear()));

      assert.deepEqual(numbers.toSorted(), ["1", "2"], `round ${round}`);
      assertSound(world, `${world.path}${round}`);
      const database = world.raw(`${world.path}${round}`);
      assert.equal(database.prepare("SELECT id FROM migrations").all().length, MIGRATIONS.length);
    }
  });

  test("R264: two that write at once lose nothing and damage nothing", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    const shared = await applyRun(store, createRun());
    const program = `${OPEN_STORE}
      const run = await fixture.applyRun(store, fixture.createRun({ id: "run-" + process.pid }));
      const shared = { id: ${JSON.stringify(shared.id)}, epoch: 1 };
      for (let turn = 0; turn < 200; turn++) {
        await fixture.applyAll(store,
          fixture.tell(shared, { type: "stage.logged", data: { pid: process.pid, turn } }),
          fixture.putItem(shared, { key: process.pid + "-" + turn, index: turn }),
          fixture.putStage(run, { stage: "s" + turn }, { events: [{ type: "stage.succeeded" }] }));
      }
      await store.close();`;
    await Promise.all([outputOf(world.start(program)), outputOf(world.start(program))]);

    assert.deepEqual((await store.countItems(shared.id)).get("fetch"), { succeeded: 400 });
    const events = await store.listEvents({ runId: shared.id, after: 0, limit: 1000 });
    assert.deepEqual(
      events.map((event) => event.runSeq),
      Array.from({ length: 400 }, (_, index) => index + 1),
    );
    assertSound(world);
  });

  test("what is read is always one moment, while another process writes", async () => {
    const world = makeSqliteWorld();
    const store = await world.open();
    const run = await applyRun(store, createRun());
    const child = world.start(`${OPEN_STORE}
      const run = { id: ${JSON.stringify(run.id)}, epoch: 1 };
      for (let turn = 0; turn < 500; turn++) {
        const state = [{ key: "k" + turn, stage: "s" + turn, value: fixture.encoded(turn) }];
        await fixture.applyAll(store, fixture.putStage(run, { stage: "s" + turn }, { state }));
      }
      await store.close();`);
    let isDone = false;
    const done = outputOf(child).finally(() => (isDone = true));
    const seen = new Set<number>();
    while (!isDone) {
      const { stages, state } = await store.loadCheckpoints(run.id);
      assert.equal(stages.length, state.length);
      seen.add(stages.length);
      await new Promise((resolve) => systemClock.defer(() => resolve(undefined)));
    }
    await done;

    assert.equal((await store.listStages(run.id)).length, 500);
    assert.ok(seen.size > 3, `only ${seen.size} different moments were read`);
  });

  test("who holds the store too long makes others busy, and no write is lost", async () => {
    const world = makeSqliteWorld();
    const store = await world.open({ busyTimeoutMs: 20 });
    const run = await applyRun(store, createRun());
    const holder = world.raw();
    holder.exec("BEGIN IMMEDIATE");
    await assert.rejects(store.apply([tell(run)]), (error) => {
      assert.ok(isMillraceError(error) && error.code === "STORE_BUSY", String(error));
      return error.retryable && error.next !== undefined;
    });
    assert.equal((await store.findRun(run.id))?.number, 1);

    let tries = 0;
    const watched: Pick<Store, "url" | "apply"> = {
      url: store.url,
      apply: (writes) => {
        tries += 1;
        // The lock is given back between the second and the third try.
        if (tries === 3) holder.exec("ROLLBACK");
        return store.apply(writes);
      },
    };
    const commit = new GroupCommit({ store: watched, clock: systemClock, random: systemRandom });
    const written = commit.write(putStage(run, { stage: "a" }));
    assert.equal((await written).kind, "done");
    assert.equal(tries, 3);
    assert.equal((await store.listStages(run.id)).length, 1);
  });
});

describe("a process that is killed", () => {
  test("R255: leaves everything it acknowledged, and a sound store, however often it happens", async () => {
    const world = makeSqliteWorld();
    const random = makeSeededRandom(11);
    let acknowledged = 0;
    for (let round = 0; round < 10; round++) {
      const killAfter = 1 + Math.floor(random.float() * 120);
      const acks = await writeUntilKilled(world, round, killAfter);
      acknowledged += acks.length;

      const store = await world.open();
      for (const ack of acks) await assertThere(store, ack);
      await store.close();
      assertSound(world);
    }
    assert.ok(acknowledged > 100, `only ${acknowledged} commits were acknowledged`);
  });
});

interface Talk {
  say(line: string): void;
  hear(): Promise<string>;
}

/** Lines to and from a child. */
function talkTo(child: ChildProcess): Talk {
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  return {
    say: (line) => void child.stdin?.write(`${line}\n`),
    hear: async () => {
      const { value, done } = await lines.next();
      assert.ok(done !== true, "the child ended");
      return value;
    },
  };
}

interface Ack {
  readonly run: string;
  readonly turn: number;
}

/** A child that commits without end and prints each commit once it is acknowledged, killed after so many. */
async function writeUntilKilled(
  world: SqliteWorld,
  round: number,
  killAfter: number,
): Promise<readonly Ack[]> {
  const child = world.start(`${OPEN_STORE}
    import { writeSync } from "node:fs";
    const { GroupCommit } = await import(src + "storage/group-commit.ts");
    const { systemRandom } = await import(src + "std/random.ts");
    const commit = new GroupCommit({ store, clock: systemClock, random: systemRandom });
    const lanes = Array.from({ length: 5 }, async (_, lane) => {
      const write = fixture.createRun({ id: "run-${round}-" + lane });
      await commit.write(write);
      const run = { id: write.run.id, epoch: 1 };
      for (let turn = 0; ; turn++) {
        const state = [{ key: "k" + turn, stage: "s" + turn, value: fixture.encoded(turn) }];
        const events = [{ type: "stage.succeeded", stage: "s" + turn }];
        const results = await Promise.all([
          commit.write(fixture.putItem(run, { key: "k" + turn, index: turn })),
          commit.write(fixture.putStage(run, { stage: "s" + turn }, { state, events })),
        ]);
        if (results.some((result) => result.kind !== "done")) process.exit(9);
        writeSync(1, run.id + " " + turn + "\\n");
      }
    });
    await Promise.all(lanes);`);
  const acks: Ack[] = [];
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    const [run = "", turn = ""] = line.split(" ");
    acks.push({ run, turn: Number(turn) });
    if (acks.length === killAfter) child.kill("SIGKILL");
  }
  assert.equal(child.signalCode ?? (await once(child, "exit"))[1], "SIGKILL");
  return acks;
}

async function assertThere(store: Store, { run, turn }: Ack): Promise<void> {
  assert.equal((await store.findStage(run, `s${turn}`))?.state, "succeeded");
  assert.equal((await store.findItem(run, "fetch", `k${turn}`))?.state, "succeeded");
  const entry = (await store.listState(run)).find(({ key }) => key === `k${turn}`);
  assert.equal(entry?.value, encoded(turn));
}
