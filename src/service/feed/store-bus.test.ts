// The bus over the reference store, on a clock that stands still.

import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft, MillraceEvent } from "../../model/event.ts";
import { RECENT_EVENTS_MAX } from "../../model/limits.ts";
import { Emitter } from "../../std/emitter.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { MemoryStore } from "../../storage/memory/memory-store.ts";
import type { BusEntry } from "./event-bus.ts";
import { StoreBus, type StoreBusOptions } from "./store-bus.ts";

const WARNED: EventDraft = { type: "watchdog.warned" };
const SKIPPED: EventDraft = { type: "schedule.skipped" };

function setup(options: Partial<StoreBusOptions> = {}) {
  const clock = makeVirtualClock();
  const store = new MemoryStore({ clock });
  const committed = new Emitter<void>();
  const live = new Emitter<MillraceEvent>();
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const bus = new StoreBus({ store, clock, committed, live, warn, ...options });
  return {
    bus,
    store,
    clock,
    committed,
    live,
    warnings,
    /** Tells events, without a hint. */
    tell: async (...events: readonly EventDraft[]) => {
      for (let start = 0; start < events.length; start += 500)
        await store.apply([
          { kind: "tell-outside", runId: null, events: events.slice(start, start + 500) },
        ]);
    },
    /** Everything that is booked has happened; no time has passed. */
    settle: () => clock.advance(0),
  };
}

const many = (count: number, draft: EventDraft = WARNED): EventDraft[] =>
  Array.from({ length: count }, () => draft);

const toSeq = (entry: BusEntry | undefined): unknown =>
  entry?.kind === "event" ? entry.event.seq : entry;

async function take(reader: AsyncIterator<BusEntry>, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  while (found.length < count) {
    const step = await reader.next();
    if (step.done === true) break;
    found.push(toSeq(step.value));
  }
  return found;
}

async function drain(reader: AsyncIterator<BusEntry>): Promise<unknown[]> {
  return take(reader, Infinity);
}

function upTo(last: number, first: number = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

test("R220: a reader gets history, then what comes, and continues from a number", async () => {
  const { bus, tell, committed, settle } = setup();
  await tell(...many(1_200));
  const reader = bus.subscribe({ after: 0 });
  assert.deepEqual(await take(reader, 700), upTo(700));
  await tell(...many(5));
  committed.emit();
  assert.deepEqual(await take(reader, 505), upTo(1_205, 701));
  await tell(...many(2));
  committed.emit();
  assert.deepEqual(await take(reader, 2), [1_206, 1_207]);
  await reader.return?.();

  await tell(WARNED);
  const again = bus.subscribe({ after: 1_207 });
  assert.deepEqual(await take(again, 1), [1_208]);
  await settle();
  await bus.close();
  assert.deepEqual(await drain(again), []);
});

test("R220: whatever is told while a reader catches up, it gets every number once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ before: fc.nat(40), reads: fc.nat(30), hint: fc.boolean() }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.nat(60),
      async (rounds, after) => {
        const { bus, tell, committed, clock } = setup();
        await tell(...many(60));
        const reader = bus.subscribe({ after, queueMax: 100_000 });
        let total = 60;
        const found: unknown[] = [];
        for (const { before, reads, hint } of rounds) {
          await tell(...many(before));
          total += before;
          if (hint) committed.emit();
          else void clock.advance(60);
          found.push(...(await take(reader, Math.min(reads, total - after - found.length))));
        }
        committed.emit();
        found.push(...(await take(reader, total - after - found.length)));
        await bus.close();
        assert.deepEqual(found, upTo(total, after + 1));
      },
    ),
    { numRuns: 60 },
  );
});

test("R218: the last 1000 are held, and all 1500 are listed", async () => {
  const { bus, store, tell, committed, settle } = setup();
  const reader = bus.subscribe();
  await settle();
  await tell(...many(1_500));
  committed.emit();
  await settle();
  const held = bus.recent().map(({ seq }) => seq);
  assert.deepEqual(held, upTo(1_500, 501));
  assert.equal(held.length, RECENT_EVENTS_MAX);
  assert.equal(bus.lastSeq, 1_500);

  const first = await store.listEvents({ after: 0, limit: 1_000 });
  const rest = await store.listEvents({ after: 1_000, limit: 1_000 });
  assert.deepEqual(
    [...first, ...rest].map(({ seq }) => seq),
    upTo(1_500),
  );
  await reader.return?.();
});

test("a reader without a number gets what is told after its call, and nothing from before", async () => {
  const { bus, tell, committed } = setup();
  await tell(WARNED, WARNED);
  const reader = bus.subscribe();
  await tell(WARNED);
  committed.emit();
  assert.deepEqual(await take(reader, 1), [3]);
  await bus.close();
});

test("what other processes write is seen within 50 ms, without any hint", async () => {
  const { bus, clock, tell, settle } = setup();
  const reader = bus.subscribe();
  await settle();
  const next = reader.next();
  await tell(WARNED);
  await clock.advance(49);
  assert.equal(bus.lastSeq, 0);
  await clock.advance(1);
  assert.equal(toSeq((await next).value), 1);
  await bus.close();
});

test("R221: a slow reader loses its oldest, hears how many, and others lose nothing", async () => {
  const { bus, tell, committed, settle } = setup();
  const slow = bus.subscribe({ queueMax: 10 });
  const quick = bus.subscribe();
  await settle();
  await tell(...many(2));
  committed.emit();
  assert.deepEqual(await take(slow, 1), [1]);
  await tell(...many(30));
  committed.emit();
  await settle();
  assert.deepEqual(await take(quick, 32), upTo(32));
  assert.deepEqual(await take(slow, 3), [{ kind: "gap", missed: 21, afterSeq: 1 }, 23, 24]);
  await tell(...many(5));
  committed.emit();
  await settle();
  const rest = await take(slow, 11);
  assert.deepEqual(rest, [{ kind: "gap", missed: 3, afterSeq: 24 }, ...upTo(37, 28)]);
  await bus.close();
});

test("a reader that is far behind in history loses nothing: it reads at its own pace", async () => {
  const { bus, tell, committed, settle } = setup();
  await tell(...many(50));
  const reader = bus.subscribe({ after: 0, queueMax: 10 });
  assert.deepEqual(await take(reader, 3), upTo(3));
  await tell(...many(50));
  committed.emit();
  await settle();
  assert.deepEqual(await take(reader, 97), upTo(100, 4));
  await bus.close();
});

test("R222: 100 may read, one more is refused, and whoever leaves makes room", async () => {
  const { bus, clock, settle } = setup();
  const readers = Array.from({ length: 100 }, () => bus.subscribe());
  expect(() => bus.subscribe()).toThrow(
    expect.objectContaining({ code: "SUBSCRIBERS_FULL", retryable: true }),
  );
  await settle();
  assert.equal(bus.subscriberCount, 100);
  for (const reader of readers) await reader.return?.();
  assert.equal(bus.subscriberCount, 0);
  await settle();
  assert.equal(clock.pendingTimers, 0);

  for (let count = 0; count < 150; count++) await bus.subscribe().return?.();
  const aborted = new AbortController();
  const reader = bus.subscribe({ signal: aborted.signal });
  const next = reader.next();
  aborted.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.equal(bus.subscriberCount, 0);
  await settle();
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(await drain(bus.subscribe({ signal: aborted.signal })), []);
});

test("R222: how many may read is a setting", () => {
  const { bus } = setup({ subscribersMax: 1 });
  const reader = bus.subscribe();
  expect(() => bus.subscribe()).toThrow(/1 read the events/);
  void reader.return?.();
});

test("a reader asks for a run, for types, or for all of a noun, in history and live", async () => {
  const { bus, tell, committed, live, settle } = setup();
  await tell(WARNED, SKIPPED, WARNED);
  const schedules = bus.subscribe({ after: 0, types: ["schedule.*"] });
  const ofRun = bus.subscribe({ run: "r-1" });
  assert.deepEqual(await take(schedules, 1), [2]);
  await settle();
  await tell(WARNED, SKIPPED);
  committed.emit();
  const event: MillraceEvent = { type: "stage.started", seq: 0, runSeq: 0, atMs: 1, run: "r-2" };
  live.emit(event);
  live.emit({ ...event, run: "r-1" });
  assert.deepEqual(await take(schedules, 1), [5]);
  const step = await ofRun.next();
  assert.deepEqual(step.value, { kind: "event", event: { ...event, run: "r-1" } });
  expect(() => bus.subscribe({ types: ["stage.log"] })).toThrow(/did you mean|no type of event/);
  await bus.close();
});

test("rare types are found behind more events than one look passes over", async () => {
  const { bus, tell } = setup();
  await tell(SKIPPED, ...many(60_000), SKIPPED);
  const reader = bus.subscribe({ after: 0, types: ["schedule.skipped"] });
  assert.deepEqual(await take(reader, 2), [1, 60_002]);
  await bus.close();
});

test("R223: what is never stored is told live, after what was stored before it, and to nobody later", async () => {
  const { bus, tell, live, clock, settle } = setup();
  const all = bus.subscribe();
  const stored = bus.subscribe({ storedOnly: true });
  await settle();
  await tell(WARNED);
  live.emit({ type: "stage.progressed", seq: 0, runSeq: 0, atMs: 1, run: "r" });
  bus.publish({ type: "system.heartbeat", run: "", data: { runs: 1 } });
  await tell(WARNED);
  assert.deepEqual(await take(all, 4), [1, 2, 0, 0]);
  assert.deepEqual(await take(stored, 2), [1, 2]);
  await clock.advance(100);
  const late = bus.subscribe({ after: 0 });
  assert.deepEqual(await take(late, 2), [1, 2]);
  await bus.close();
  assert.deepEqual(await drain(late), []);
});

test("while the store is away readers stay, it is said once, and nothing is missing afterwards", async () => {
  const clock = makeVirtualClock();
  const store = new MemoryStore({ clock });
  let isAway = false;
  let reads = 0;
  const { bus, warnings, committed } = setup({
    clock,
    store: {
      nowMs: () => store.nowMs(),
      listEvents: async (query) => {
        reads += 1;
        if (isAway) throw new MillraceError("STORE_FAILED", "The disk is gone.");
        return store.listEvents(query);
      },
    },
  });
  const tell = (): Promise<unknown> =>
    store.apply([{ kind: "tell-outside", runId: null, events: [WARNED] }]);
  const reader = bus.subscribe();
  await clock.advance(0);
  isAway = true;
  await tell();
  committed.emit();
  const late = bus.subscribe({ after: 0 });
  const first = late.next();
  await clock.advance(20_000);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /cannot be read at the moment.*The disk is gone/);
  assert.ok(reads < 30, `${reads} reads of a store that is away`);
  isAway = false;
  await tell();
  await clock.advance(5_000);
  assert.deepEqual(await take(reader, 2), [1, 2]);
  assert.equal(toSeq((await first).value), 1);
  assert.deepEqual(await take(late, 1), [2]);
  assert.deepEqual(warnings.slice(1), ["Events can be read again."]);
  await bus.close();
});

test("what was stored before the bus closes is still given out, then readers end", async () => {
  const { bus, tell, settle } = setup();
  const reader = bus.subscribe();
  await settle();
  await tell(WARNED, WARNED);
  await bus.close();
  await bus.close();
  assert.deepEqual(await drain(reader), [1, 2]);
  assert.deepEqual(await drain(bus.subscribe()), []);
  assert.equal(bus.subscriberCount, 0);
});

test("without readers nothing runs, and the next reader begins where the store is then", async () => {
  const { bus, tell, clock, committed, settle } = setup();
  await bus.subscribe().return?.();
  await settle();
  await tell(WARNED, WARNED);
  committed.emit();
  await clock.advance(1_000);
  assert.deepEqual([clock.pendingTimers, bus.lastSeq, bus.recent().length], [0, 0, 0]);
  const reader = bus.subscribe();
  await tell(WARNED);
  committed.emit();
  assert.deepEqual(await take(reader, 1), [3]);
  assert.deepEqual(
    bus.recent().map(({ seq }) => seq),
    [1, 2, 3],
  );
  await bus.close();
});

test("several calls for the next entry are answered in their order, and all end with the reader", async () => {
  const { bus, tell, committed, settle } = setup();
  const reader = bus.subscribe();
  await settle();
  const steps = [reader.next(), reader.next(), reader.next()];
  await tell(WARNED, WARNED);
  committed.emit();
  assert.deepEqual(
    (await Promise.all(steps.slice(0, 2))).map((step) => toSeq(step.value)),
    [1, 2],
  );
  await reader.return?.();
  assert.equal((await steps[2])?.done, true);
});
