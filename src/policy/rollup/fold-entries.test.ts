import fc from "fast-check";
import { expect, test } from "vitest";
import type { MillraceEvent } from "../../model/event.ts";
import { DURATIONS_KEPT_MAX } from "../../model/limits.ts";
import type { Json } from "../../std/json.ts";
import { lookAt } from "./bucket.ts";
import { parseDurations } from "./duration-window.ts";
import { foldEntries } from "./fold-entries.ts";
import { bucketIn, placeOf } from "./roll-up-block.ts";
import {
  listEntries,
  listLevelEntries,
  ROLL_UP_COUNTS,
  type RollUpEntry,
} from "./roll-up-entry.ts";

const START_MS = Date.UTC(2026, 10, 21, 22, 58);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let lastSeq = 0;

function tell(type: MillraceEvent["type"], event: Partial<MillraceEvent> = {}): MillraceEvent {
  lastSeq += 1;
  return { seq: lastSeq, runSeq: 1, atMs: START_MS, run: "run", type, ...event };
}

/** What the store holds after these entries, folded in these pieces. */
function fold(entries: readonly RollUpEntry[], pieces: readonly number[]): Map<string, Json> {
  const records = new Map<string, Json>();
  let from = 0;
  for (const size of [...pieces, entries.length]) {
    const groups = Map.groupBy(entries.slice(from, from + size), ({ key }) => key);
    for (const [key, each] of groups) records.set(key, stored(foldEntries(records.get(key), each)));
    from += size;
  }
  return records;
}

/** As it comes back from a store. */
function stored(value: Json): Json {
  const read: Json = JSON.parse(JSON.stringify(value));
  return read;
}

const event = fc
  .record({
    type: fc.constantFrom(
      ...ROLL_UP_COUNTS.map((name) => `run.${name}` as const),
      "stage.succeeded" as const,
    ),
    minutes: fc.nat({ max: 3 * 1_440 }),
    epoch: fc.constantFrom(1, 1, 2),
    via: fc.constantFrom("run", "run", "cache"),
    durationMs: fc.nat({ max: 1_000_000 }),
    stage: fc.constantFrom("fetch", "read"),
  })
  .map(({ type, minutes, stage, ...data }) => {
    const ofStage = type.startsWith("stage.") ? { stage } : {};
    return tell(type, { atMs: START_MS + minutes * 60_000, data, ...ofStage });
  });

const entriesOfEvents = fc
  .array(fc.tuple(event, fc.constantFrom("crawl", "review")), { maxLength: 60 })
  .map((told) => told.flatMap(([each, pipeline]) => listEntries(each, pipeline, START_MS)));

const entriesOfLevels = fc
  .array(fc.tuple(fc.nat({ max: 500 }), fc.nat({ max: 1_000_000 })), { maxLength: 30 })
  .map((looks) =>
    looks.flatMap(([minutes, value]) =>
      listLevelEntries(
        { kind: "resource", name: "host" },
        { atMs: START_MS + minutes * 60_000, name: "held", level: lookAt(value) },
      ),
    ),
  );

test("folding in any pieces gives the same", () => {
  const pieces = fc.array(fc.nat({ max: 40 }), { maxLength: 10 });
  fc.assert(
    fc.property(entriesOfEvents, entriesOfLevels, pieces, (events, levels, sizes) => {
      const entries = [...events, ...levels];
      expect(fold(entries, sizes)).toEqual(fold(entries, []));
    }),
  );
});

test("every end is in its minute and its day, for its pipeline and for all", () => {
  fc.assert(
    fc.property(entriesOfEvents, (entries) => {
      const counted = entries.filter(({ change }) => change.kind === "bucket");
      const sums = new Map<string, number>();
      for (const [key, value] of fold(counted, [])) {
        const [unit = "", , ...subject] = key.split("/");
        const name = `${unit} ${subject[0] === "all" ? "all" : "own"}`;
        sums.set(name, (sums.get(name) ?? 0) + sumOf(value));
      }
      expect([...sums.values()]).toEqual([...sums.values()].map(() => counted.length / 4));
      expect([0, 4]).toContain(sums.size);
    }),
  );
});

function sumOf(block: Json): number {
  let sum = 0;
  for (let bucket = 0; bucket < 60; bucket += 1)
    for (const value of Object.values(bucketIn(block, bucket))) sum += Number(value);
  return sum;
}

test("the window holds the last durations in order, and the number of all", () => {
  const times = Array.from({ length: DURATIONS_KEPT_MAX + 30 }, (_, index) => index);
  const entries = times.flatMap((durationMs) =>
    listEntries(
      tell("stage.succeeded", { stage: "read", data: { via: "run", durationMs } }),
      "p",
      0,
    ),
  );
  const window = parseDurations(fold(entries, [7, 100]).get("duration/p/read"));
  expect(window).toEqual({ total: times.length, recentMs: times.slice(30) });
});

test("a level is the mean of its looks, with the lowest and the highest", () => {
  const look = (value: number): readonly RollUpEntry[] =>
    listLevelEntries({ kind: "all" }, { atMs: START_MS, name: "queued", level: lookAt(value) });
  const { bucket, block } = placeOf("minute", START_MS);
  const records = fold([...look(4), ...look(0), ...look(11)], [1]);
  expect(bucketIn(records.get(`minute/${block}/all`), bucket)).toEqual({ queued: [3, 15, 0, 11] });
});

test("what was taken from a cache, and a further claim of a run, count for nothing", () => {
  const cached = tell("stage.succeeded", { stage: "s", data: { via: "cache", durationMs: 5 } });
  expect(listEntries(cached, "p", START_MS)).toEqual([]);
  expect(listEntries(tell("run.started", { data: { epoch: 2 } }), "p", START_MS)).toEqual([]);
  expect(listEntries(tell("run.started", { data: { epoch: 1 } }), "p", START_MS)).toHaveLength(4);
});

test("what is older than its bound is left out, and a block goes when its last bucket is too old", () => {
  const created = tell("run.created");
  const units = (nowMs: number): readonly string[] => [
    ...new Set(listEntries(created, "p", nowMs).map(({ key }) => key.slice(0, key.indexOf("/")))),
  ];
  expect(units(START_MS + DAY_MS)).toEqual(["minute", "day"]);
  expect(units(START_MS + DAY_MS + HOUR_MS)).toEqual(["day"]);
  expect(units(START_MS + 800 * DAY_MS)).toEqual([]);
  const hour = Math.floor(START_MS / HOUR_MS);
  expect(placeOf("minute", START_MS)).toEqual({
    block: hour,
    bucket: 58,
    dueAtMs: (hour + 1) * HOUR_MS + DAY_MS,
  });
});

test("what is damaged begins anew and spares the rest", () => {
  const [entry] = listEntries(tell("run.created"), "p", START_MS);
  const value = {
    58: { created: "x", failed: 2, queued: [1, "a", 0, 0] },
    3: null,
    4: { failed: 1 },
  };
  expect(foldEntries(value, entry === undefined ? [] : [entry])).toEqual({
    3: {},
    4: { failed: 1 },
    58: { created: 1, failed: 2 },
  });
  expect(parseDurations({ total: 3, recentMs: [1, "2"] })).toEqual({ total: 0, recentMs: [] });
});
