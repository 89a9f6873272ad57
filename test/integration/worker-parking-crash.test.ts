// A process that dies at any of its commits around a long wait, and a wall clock that jumps meanwhile: nothing is
// lost, nothing begins again, and nothing starts before its time.

import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { map, MillraceError, pipeline, stage, type Millrace } from "../../src/exports/index.ts";
import { systemMachine, type Machine } from "../../src/std/machine.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";
import { checkCounts, checkNoLease, readEvents } from "../support/queue-world.ts";

const WAIT_MS = 15_000;
const DAY_MS = 86_400_000;
const RETRY = {
  attempts: 3,
  initialDelay: "15s",
  factor: 2,
  maxDelay: "1h",
  jitter: "none",
} as const;

/** One boot for all; the dead are known to be gone. */
function makeMachine(clock: VirtualClock, pid: number): Machine {
  const { host, environment } = systemMachine;
  const sharedMonotonicMs = (): number => 1_000 + clock.monotonicMs();
  const isGone = ({ pid: asked }: { readonly pid: number }): boolean => asked === 1;
  return { host, environment, pid, bootId: "boot", processStart: "1", sharedMonotonicMs, isGone };
}

/** What it sends from this commit on reaches nobody; that commit itself does, if it dies after it. */
function dieAt(mill: Millrace, commit: number, isAfter: boolean): Promise<void> {
  const died = Promise.withResolvers<void>();
  const { store } = mill;
  const apply = store.apply.bind(store);
  const isDead = (): Promise<never> =>
    Promise.reject(new MillraceError("STORE_CLOSED", "This process is dead."));
  let commits = 0;
  store.apply = async (writes) => {
    if (writes.every(({ kind }) => kind === "wake-runs")) return await apply(writes);
    commits += 1;
    if (commits < commit) return await apply(writes);
    if (commits === commit && isAfter) await apply(writes);
    died.resolve();
    return await isDead();
  };
  store.beat = isDead;
  store.renewLeases = isDead;
  return died.promise;
}

/** A stage and two items that fail twice each, and what each was called with. */
function makeLine(clock: VirtualClock) {
  const calls: { readonly of: string; readonly attempt: number; readonly atMs: number }[] = [];
  const work = (of: string, attempt: number): string => {
    calls.push({ of, attempt, atMs: clock.monotonicMs() });
    if (attempt < 3) throw new Error(`${of} is not ready`);
    return of;
  };
  const one = stage("one", { retry: RETRY }, (_needs, ctx) => work("one", ctx.attempt));
  const items = map("items", { over: ["a", "b", "c"], retry: RETRY }, (item, _needs, ctx) =>
    item === "a" ? item : work(item, ctx.attempt),
  );
  const last = stage("last", { needs: { one, items } }, (given) => [given.one, ...given.items]);
  return { calls, line: pipeline("line", { output: { last } }) };
}

const COMMITS = 12;

test("a process that dies at any commit around a long wait costs at most the attempts that it was at", async () => {
  let deaths = 0;
  for (let turn = 0; turn < 2 * COMMITS; turn += 1) {
    const clock = makeVirtualClock();
    const world = makeDurableWorld("sqlite");
    const { calls, line } = makeLine(clock);
    const doomed = await world.open([line], { clock, machine: makeMachine(clock, 1) });
    const mill = await world.open([line], { clock, machine: makeMachine(clock, 2) });
    const [{ run } = assert.fail()] = (await mill.enqueue(line, [{ input: undefined }])).runs;
    void dieAt(doomed, 1 + Math.floor(turn / 2), turn % 2 === 1).then(() => (deaths += 1));
    const first = doomed.work().catch(() => undefined);
    await clock.advance(4 * WAIT_MS);
    await doomed.close({ drainMs: 0 });
    await first;
    const control = new AbortController();
    const second = mill.work({ signal: control.signal });
    await clock.advance(6 * WAIT_MS);
    control.abort();
    await clock.advance(1_000);
    await second;

    const record = await mill.run(run.id);
    assert.equal(record.state, "succeeded", `turn ${turn}`);
    const { outputs } = await mill.result(run.id);
    assert.deepEqual(outputs, { last: ["one", "a", "b", "c"] });
    for (const of of ["one", "b", "c"]) checkCalls(calls.filter((call) => call.of === of));
    await readEvents(mill, run.id);
    await checkCounts(mill, "line");
    await checkNoLease(mill);
    await mill.close();
  }
  assert.ok(deaths > COMMITS, `only ${deaths} died`);
});

/** Attempts only rise, one may be repeated by the death, and none comes before its time. */
function checkCalls(
  calls: readonly { readonly of: string; readonly attempt: number; readonly atMs: number }[],
): void {
  const numbers = calls.map(({ attempt }) => attempt);
  assert.deepEqual([...new Set(numbers)], [1, 2, 3], `attempts ${numbers.join(" ")}`);
  assert.ok(numbers.length <= 4, `attempts ${numbers.join(" ")}`);
  for (const [index, { attempt, atMs }] of calls.entries()) {
    const before = calls[index - 1];
    if (before === undefined || before.attempt === attempt) continue;
    assert.ok(attempt > before.attempt, `attempts ${numbers.join(" ")}`);
    assert.ok(atMs - before.atMs >= before.attempt * WAIT_MS, "it came before its time");
  }
}

test.each([DAY_MS, -DAY_MS])(
  "a wall clock that jumps by %i ms moves no wait, parked or not",
  async (jumpMs) => {
    const clock = makeVirtualClock();
    let setByMs = 0;
    const jumping: VirtualClock = Object.create(clock, {
      wallMs: { value: () => clock.wallMs() + setByMs },
      monotonicMs: { value: () => clock.monotonicMs() },
      setTimer: { value: clock.setTimer.bind(clock) },
      sleep: { value: clock.sleep.bind(clock) },
      defer: { value: clock.defer.bind(clock) },
    });
    const world = makeDurableWorld("sqlite");
    const { calls, line } = makeLine(clock);
    const machine = makeMachine(clock, 2);
    const mill = await world.open([line], { clock: jumping, machine });
    const [{ run } = assert.fail()] = (await mill.enqueue(line, [{ input: undefined }])).runs;
    const control = new AbortController();
    const working = mill.work({ signal: control.signal });
    await clock.advance(1_000);
    setByMs += jumpMs;
    await clock.advance(WAIT_MS + 1_000);
    setByMs -= 2 * jumpMs;
    await clock.advance(2 * WAIT_MS + 2_000);
    control.abort();
    await clock.advance(1_000);
    await working;

    expect((await mill.run(run.id)).state).toBe("succeeded");
    const times = calls.filter(({ of }) => of === "one").map(({ atMs }) => atMs);
    expect(times).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = times;
    expect(Math.floor((second - first) / WAIT_MS)).toBe(1);
    expect(Math.floor((third - second) / WAIT_MS)).toBe(2);
  },
);
