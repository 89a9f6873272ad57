import assert from "node:assert/strict";
import { test } from "vitest";
import { InvariantError } from "../std/error/assert.ts";
import { makeSeededRandom } from "../std/random.ts";
import { makeVirtualClock, type VirtualClock } from "../std/virtual-clock.ts";
import { isMillraceError, MillraceError, type ErrorCode } from "../model/errors.ts";
import {
  BUSY_DELAY_MS_MAX,
  BUSY_DELAY_MS_MIN,
  BUSY_TRIES_MAX,
  COMMIT_BYTES_MAX,
  COMMIT_WRITES_MAX,
  WAITING_WRITES_MAX,
} from "../model/limits.ts";
import { createRun, encoded, inline, putStage, tell } from "../testing/store-suite/fixture.ts";
import { type CommitFault, FULL_RETRY_MS, GroupCommit } from "./group-commit.ts";
import { MemoryStore } from "./memory/memory-store.ts";
import type { Write } from "./write.ts";
import type { WriteResult } from "./write-result.ts";

/** A memory store whose transactions fail as told, and that remembers what was asked of it. */
class RecordingStore extends MemoryStore {
  readonly batches: (readonly Write[])[] = [];
  /** Asked before each transaction; throws to fail it. */
  failing: (writes: readonly Write[]) => void = () => undefined;
  /** Awaited in the middle of each transaction. */
  held: Promise<void> = Promise.resolve();

  override async apply(writes: readonly Write[]): Promise<readonly WriteResult[]> {
    this.batches.push(writes);
    this.failing(writes);
    await this.held;
    return super.apply(writes);
  }

  get sizes(): readonly number[] {
    return this.batches.map((batch) => batch.length);
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly store: RecordingStore;
  readonly commit: GroupCommit;
  readonly faults: CommitFault["kind"][];
}

function setup(): World {
  const clock = makeVirtualClock();
  const store = new RecordingStore({ clock });
  const faults: CommitFault["kind"][] = [];
  const commit = new GroupCommit({
    store,
    clock,
    random: makeSeededRandom(3),
    onFault: (fault) => faults.push(fault.kind),
  });
  return { clock, store, commit, faults };
}

function fault(code: ErrorCode): () => never {
  return () => {
    throw new MillraceError(code, `The store says ${code}.`);
  };
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isMillraceError(error) && error.code === code;
}

/** Resolves when everything that is under way and needs no time is done. */
async function settle(clock: VirtualClock): Promise<void> {
  await clock.advance(0);
}

test("writes of one turn are one transaction, in the order given", async () => {
  const { store, commit } = setup();
  const writes = [createRun(), createRun(), createRun()];
  const results = await Promise.all(writes.map((write) => commit.write(write)));

  assert.deepEqual(store.batches, [writes]);
  assert.deepEqual(
    results.map((result) => result.kind === "done" && result.run?.number),
    [1, 2, 3],
  );
});

test("a write settles after its commit, never before", async () => {
  const { clock, store, commit } = setup();
  const gate = Promise.withResolvers<void>();
  store.held = gate.promise;
  let isSettled = false;
  const written = commit.write(createRun()).then(() => (isSettled = true));
  await settle(clock);

  assert.equal(store.batches.length, 1);
  assert.equal(isSettled, false);
  gate.resolve();
  await written;
});

test("while a commit is under way the next writes gather", async () => {
  const { clock, store, commit } = setup();
  const gate = Promise.withResolvers<void>();
  store.held = gate.promise;
  const first = commit.write(createRun());
  await settle(clock);
  const rest = [commit.write(createRun()), commit.write(createRun())];
  await settle(clock);
  assert.deepEqual(store.sizes, [1]);

  gate.resolve();
  await Promise.all([first, ...rest]);
  assert.deepEqual(store.sizes, [1, 2]);
});

test("what a commit sets going joins in one next transaction", async () => {
  const { store, commit } = setup();
  const chains = Array.from({ length: 10 }, async () => {
    await commit.write(createRun());
    // Some hops later than the others, and still in the same turn.
    for (let hop = 0; hop < 20; hop++) await Promise.resolve();
    await commit.write(createRun());
  });
  await Promise.all(chains);

  assert.deepEqual(store.sizes, [10, 10]);
});

test("a transaction holds no more writes than the limit", async () => {
  const { store, commit } = setup();
  const count = COMMIT_WRITES_MAX * 2 + 1;
  await Promise.all(Array.from({ length: count }, () => commit.write(createRun())));

  assert.deepEqual(store.sizes, [COMMIT_WRITES_MAX, COMMIT_WRITES_MAX, 1]);
});

test("a transaction holds no more bytes than the limit, and at least one write", async () => {
  const { store, commit } = setup();
  const huge = createRun({ input: encoded("x".repeat(COMMIT_BYTES_MAX + 1)) });
  const half = encoded("x".repeat(COMMIT_BYTES_MAX / 2 - 2_000));
  const writes = [huge, ...[1, 2, 3].map(() => createRun({ input: half })), createRun()];
  await Promise.all(writes.map((write) => commit.write(write)));

  assert.deepEqual(store.sizes, [1, 2, 2]);
});

test("outputs, memos and state count by their length", async () => {
  const { store, commit } = setup();
  const run = { id: "r", epoch: 1 };
  const text = "x".repeat(COMMIT_BYTES_MAX / 2);
  const state = [{ key: "k", stage: "a", value: encoded(text) }];
  const writes: Write[] = [
    putStage(run, { stage: "a", output: inline(text) }),
    putStage(run, { stage: "b" }, { state }),
    {
      kind: "put-memo",
      runId: "r",
      epoch: 1,
      stage: "a",
      item: null,
      name: "m",
      events: [],
      value: encoded(text),
    },
  ];
  await Promise.all(writes.map((write) => commit.write(write)));

  assert.deepEqual(store.sizes, [1, 1, 1]);
});

test("a refused write resolves with its refusal, beside neighbours that are done", async () => {
  const { commit } = setup();
  const results = await Promise.all([
    commit.write(createRun({ key: "k" })),
    commit.write(tell({ id: "none", epoch: 1 })),
    commit.write(createRun({ key: "k" })),
  ]);

  assert.deepEqual(
    results.map((result) => result.kind),
    ["done", "lease-lost", "key-taken"],
  );
});

test("a busy store is tried again, at moments drawn between 10 and 250 ms", async () => {
  const { clock, store, commit } = setup();
  const triedAtMs: number[] = [];
  let left = BUSY_TRIES_MAX - 1;
  store.failing = () => {
    triedAtMs.push(clock.monotonicMs());
    if (left-- > 0) fault("STORE_BUSY")();
  };
  const written = commit.write(createRun());
  await clock.advance(10_000);

  assert.equal((await written).kind, "done");
  assert.equal(triedAtMs.length, BUSY_TRIES_MAX);
  for (const [index, atMs] of triedAtMs.slice(1).entries()) {
    const waitMs = atMs - (triedAtMs[index] ?? 0);
    assert.ok(waitMs >= BUSY_DELAY_MS_MIN && waitMs <= BUSY_DELAY_MS_MAX, `waited ${waitMs}`);
  }
});

test("a store that stays busy fails its writes after five tries, and the next ones are tried anew", async () => {
  const { clock, store, commit } = setup();
  store.failing = fault("STORE_BUSY");
  const refused = assert.rejects(commit.write(createRun()), hasCode("STORE_BUSY"));
  await clock.advance(10_000);
  await refused;
  assert.equal(store.batches.length, BUSY_TRIES_MAX);

  store.failing = () => undefined;
  assert.equal((await commit.write(createRun())).kind, "done");
});

test("a full disk is a pause: writes wait, others join, and all are done once there is room", async () => {
  const { clock, store, commit, faults } = setup();
  store.failing = fault("STORE_FULL");
  const first = commit.write(createRun());
  await clock.advance(10 * FULL_RETRY_MS);
  const second = commit.write(createRun());
  await clock.advance(FULL_RETRY_MS);
  assert.deepEqual(faults, ["paused"]);
  assert.equal(store.batches.length, 12);

  store.failing = () => undefined;
  await clock.advance(FULL_RETRY_MS);
  const numbers = (await Promise.all([first, second])).map(
    (result) => result.kind === "done" && result.run?.number,
  );
  assert.deepEqual(numbers, [1, 2]);
  assert.deepEqual(faults, ["paused", "resumed"]);
  assert.equal(clock.pendingTimers, 0);
});

test("every pause is told once, with its length", async () => {
  const clock = makeVirtualClock();
  const store = new RecordingStore({ clock });
  const faults: CommitFault[] = [];
  const onFault = (told: CommitFault): unknown => faults.push(told);
  const commit = new GroupCommit({ store, clock, random: makeSeededRandom(3), onFault });
  for (let pause = 0; pause < 2; pause++) {
    store.failing = fault("STORE_FULL");
    const written = commit.write(createRun());
    await clock.advance(2.5 * FULL_RETRY_MS);
    store.failing = () => undefined;
    await clock.advance(FULL_RETRY_MS);
    await written;
  }

  assert.deepEqual(
    faults.map((told) => (told.kind === "resumed" ? told.pausedMs : told.error.code)),
    ["STORE_FULL", 3 * FULL_RETRY_MS, "STORE_FULL", 3 * FULL_RETRY_MS],
  );
});

test("no more writes wait for a full disk than memory bears", async () => {
  const { clock, store, commit } = setup();
  store.failing = fault("STORE_FULL");
  const run = { id: "none", epoch: 1 };
  const waiting = [commit.write(tell(run))];
  await settle(clock);
  for (let count = 0; count < WAITING_WRITES_MAX; count++) waiting.push(commit.write(tell(run)));
  await assert.rejects(commit.write(tell(run)), hasCode("STORE_FULL"));

  store.failing = () => undefined;
  await clock.advance(FULL_RETRY_MS);
  assert.equal((await Promise.all(waiting)).length, WAITING_WRITES_MAX + 1);
});

test("another fault of the store fails the writes of its transaction, and no others", async () => {
  const { clock, store, commit } = setup();
  store.failing = fault("STORE_DAMAGED");
  const refused = [commit.write(createRun()), commit.write(createRun())].map((write) =>
    assert.rejects(write, hasCode("STORE_DAMAGED")),
  );
  await Promise.all(refused);
  assert.deepEqual(store.sizes, [2]);

  store.failing = () => undefined;
  await settle(clock);
  assert.equal((await commit.write(createRun())).kind, "done");
});

test("a write that the program got wrong fails alone", async () => {
  const { store, commit } = setup();
  const bad = tell({ id: "bad", epoch: 1 });
  store.failing = (writes) => {
    if (writes.includes(bad)) throw new InvariantError("This row is none of ours.");
  };
  const good = [commit.write(createRun()), commit.write(createRun())];
  const refused = assert.rejects(commit.write(bad), InvariantError);
  good.push(commit.write(createRun()));
  await refused;

  const numbers = (await Promise.all(good)).map(
    (result) => result.kind === "done" && result.run?.number,
  );
  assert.deepEqual(numbers, [1, 2, 3]);
});

test("flush waits for what was given before it, and not for what comes later", async () => {
  const { clock, store, commit } = setup();
  await commit.flush();
  const settled: string[] = [];
  void commit.write(createRun()).then(() => settled.push("write"));
  const flushed = commit.flush().then(() => settled.push("flush"));
  await settle(clock);
  await flushed;
  assert.deepEqual(settled, ["write", "flush"]);

  const first = commit.write(createRun());
  const second = commit.flush();
  await settle(clock);
  const gate = Promise.withResolvers<void>();
  store.held = gate.promise;
  const late = commit.write(createRun());
  await Promise.all([first, second]);
  gate.resolve();
  await late;
});

test("close waits for what was given, and takes nothing more", async () => {
  const { store, commit } = setup();
  const written = commit.write(createRun());
  const closed = commit.close();
  await assert.rejects(commit.write(createRun()), hasCode("STORE_CLOSED"));
  await closed;

  assert.equal((await written).kind, "done");
  assert.equal(store.batches.length, 1);
  await commit.close();
});

test("close gives a full disk one last try, and then gives its writes back as refused", async () => {
  const { clock, store, commit } = setup();
  store.failing = fault("STORE_FULL");
  const first = assert.rejects(commit.write(createRun()), hasCode("STORE_FULL"));
  await settle(clock);
  const second = assert.rejects(commit.write(createRun()), hasCode("STORE_FULL"));
  await commit.close();
  await Promise.all([first, second]);

  assert.deepEqual(store.sizes, [1, 1, 1]);
  assert.equal(clock.pendingTimers, 0);
});
