// The bounds that every store asks of what it is given before it begins: a breach is a fault of the engine,
// found before anything is written, so that no store has to undo half a batch for it.

import { assert } from "../std/error/assert.ts";
import {
  CLAIM_RUNS_MAX,
  COMMIT_WRITES_MAX,
  DELETE_ROWS_MAX,
  DELETE_RUNS_MAX,
  PAGE_ROWS_MAX,
  PARKED_KEYS_MAX,
  PRIORITY_MAX,
  QUEUE_AHEAD_MAX,
  RECENT_EVENTS_MAX,
  RESOURCE_USES_MAX,
  WAKE_RUNS_MAX,
} from "../model/limits.ts";
import type { RetryRecord, StageRecord, StateEntry } from "../model/checkpoint.ts";
import { assertRecords } from "./records/record-rules.ts";
import type { ReleasePermitsWrite, TakePermitsWrite } from "./permits/permit-write.ts";
import type { Write } from "./write.ts";

/** Asserts that a transaction may hold these writes. */
export function assertWrites(writes: readonly Write[]): void {
  assert(
    writes.length <= COMMIT_WRITES_MAX,
    `A transaction holds at most ${COMMIT_WRITES_MAX} writes, got ${writes.length}.`,
  );
  for (const write of writes) assertNames(write);
}

/** Asserts the length of a page of runs or items. */
export function assertPage(limit: number, max: number = PAGE_ROWS_MAX): void {
  assertLimit(limit, max);
}

/** Asserts the length of a list of runs that are asked for by number. */
export function assertNumbers(numbers: readonly number[]): void {
  assert(
    numbers.length <= PAGE_ROWS_MAX,
    `${numbers.length} runs are asked for at once, and ${PAGE_ROWS_MAX} may be.`,
  );
}

/** Asserts how far the runs ahead of one are counted. */
export function assertAhead(limit: number): void {
  assertLimit(limit, QUEUE_AHEAD_MAX);
}

/** Asserts the length of a page of events. */
export function assertEventPage(limit: number): void {
  assertLimit(limit, RECENT_EVENTS_MAX);
}

function assertLimit(limit: number, max: number): void {
  assert(
    Number.isInteger(limit) && limit >= 1 && limit <= max,
    `A page has 1 to ${max} rows, got ${limit}.`,
  );
}

function assertNames(write: Write): void {
  switch (write.kind) {
    case "create-run":
      assertNewRun(write);
      return;
    case "claim-run":
      assertClaim(write);
      return;
    case "claim-next":
      assertBetween("A claim's number of runs", write.limit, [1, CLAIM_RUNS_MAX]);
      assertOnce(write.pipelines.map(({ name }) => name));
      return;
    case "wake-runs":
      assertBetween("The number of runs that wake", write.limit, [1, WAKE_RUNS_MAX]);
      return;
    case "delete-runs":
      assertBetween("The number of runs to delete", write.runIds.length, [1, DELETE_RUNS_MAX]);
      assertBetween("The number of rows to delete", write.rowsMax, [1, DELETE_ROWS_MAX]);
      return;
    case "move-run":
      assertMove(write);
      return;
    case "put-stage":
      assertTimes(write.record, write.retry);
      assertState(write.state);
      return;
    case "put-item":
      assertItemKey(write.record.key);
      assertTimes(write.record, write.retry);
      assertState(write.state);
      return;
    case "put-memo":
      assertName("name of a memo", write.name);
      if (write.item !== null) assertItemKey(write.item);
      return;
    case "put-cache":
      assertName("key of a cache entry", write.entry.key);
      if (write.entry.item !== null) assertItemKey(write.entry.item);
      assertState(write.entry.state);
      return;
    case "put-crash":
      if (write.item !== null) assertItemKey(write.item);
      return;
    case "take-permits":
    case "release-permits":
      assertPermits(write);
      return;
    case "set-resource":
      assertName("key of a resource", write.key);
      return;
    case "put-records":
      assertRecords(write);
      if (write.run !== undefined) assertNewRun(write.run);
      return;
    case "create-batch":
    case "tell-outside":
    case "reclaim-run":
    case "reset-stages":
    case "drop-items":
    case "place-items":
    case "tell":
    case "request-cancel":
    case "interrupt-run":
      return;
  }
}

function assertClaim({ claim, foreground, delayMs }: Extract<Write, { kind: "claim-run" }>): void {
  assertWhole(delayMs ?? null);
  assert(claim !== null || !foreground, "A run that is queued is in the foreground of nobody.");
}

function assertMove({
  to,
  wakeAtMs,
  waitsFor = [],
}: Extract<Write, { readonly kind: "move-run" }>): void {
  assertWhole(wakeAtMs ?? null);
  assert(
    wakeAtMs === undefined || to === "waiting",
    `Only a run that waits wakes, not one that is "${to}".`,
  );
  if (waitsFor.length === 0) return;
  assert(to === "waiting", `Only a run that waits waits for a key, not one that is "${to}".`);
  assertBetween("The number of keys", waitsFor.length, [1, PARKED_KEYS_MAX]);
  for (const { key } of waitsFor) assertName("key of a resource", key);
}

function assertNewRun(write: Extract<Write, { readonly kind: "create-run" }>): void {
  const { key, priority = 0, delayMs = null } = write.run;
  if (key !== null) assertName("key of a run", key);
  assertBetween("The priority of a run", priority, [-PRIORITY_MAX, PRIORITY_MAX]);
  assertWhole(delayMs);
  assertForeground(write);
}

// One permit of a key is all that an address can hold: a second one would be granted and never counted.
function assertPermits({ item, uses }: TakePermitsWrite | ReleasePermitsWrite): void {
  if (item !== null) assertItemKey(item);
  assertBetween("The number of resources", uses.length, [1, RESOURCE_USES_MAX]);
  for (const { key } of uses) if (key !== "") assertName("key of a resource", key);
  if (uses.length === 1) return;
  const names = uses.map(({ resource, key }) => `${resource}/${key}`);
  assert(new Set(names).size === names.length, `A resource is named twice: ${names.join(", ")}.`);
}

// In a queue, or on its way there by a delay, it would be claimed by whoever works.
function assertForeground({ claim, run }: Extract<Write, { readonly kind: "create-run" }>): void {
  const { foreground, waitsForPlace = false, delayMs = 0 } = run;
  assert(
    claim !== null || !foreground || waitsForPlace,
    "A foreground run is claimed by who makes it, or waits for a place.",
  );
  assert(
    !waitsForPlace || (foreground && claim === null && delayMs === 0),
    "Only a foreground run without claim and delay waits for a place.",
  );
}

function assertBetween(what: string, value: number, [min, max]: readonly [number, number]): void {
  assert(Number.isInteger(value) && value >= min && value <= max, `${what} is ${value}.`);
}

// Named twice, its next run would be found twice before it is claimed once.
function assertOnce(pipelines: readonly string[]): void {
  assert(
    new Set(pipelines).size === pipelines.length,
    `A claim names each pipeline once, got ${pipelines.map((name) => `"${name}"`).join(", ")}.`,
  );
}

function assertState(entries: readonly StateEntry[] | undefined): void {
  if (entries === undefined) return;
  for (const entry of entries) assertName("key of the run's state", entry.key);
}

// Columns of times take whole milliseconds only; durations may have a fraction.
function assertTimes(
  record: Pick<StageRecord, "dueAtMs" | "startedAtMs" | "endedAtMs">,
  retry: RetryRecord | undefined,
): void {
  assertWhole(record.dueAtMs);
  assertWhole(record.startedAtMs);
  assertWhole(record.endedAtMs);
  if (retry === undefined) return;
  assertWhole(retry.startedAtMs);
  assertWhole(retry.endedAtMs);
}

function assertWhole(atMs: number | null): void {
  if (atMs === null || Number.isSafeInteger(atMs)) return;
  assert(false, `A time is whole milliseconds, got ${atMs}.`);
}

// Empty text is what stores write where there is no item.
function assertItemKey(key: string): void {
  assert(key !== "", "The key of an item is empty.");
  assertName("key of an item", key);
}

// Half a surrogate pair becomes U+FFFD on its way into UTF-8, which would make two keys one.
function assertName(what: string, name: string): void {
  assert(name.isWellFormed(), `The ${what} is no Unicode text: ${JSON.stringify(name)}.`);
}
