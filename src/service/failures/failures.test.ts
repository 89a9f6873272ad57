// Failures over runs, from made-up events: what counts once, and how far back is looked.

import { expect, test } from "vitest";
import type { MillraceEvent } from "../../model/event.ts";
import { EVENT_SCAN_MAX, FAILURE_EVENTS_MAX, FAILURE_SPAN_MAX } from "../../model/limits.ts";
import type { EventQuery } from "../../storage/store.ts";
import type { RunRecord } from "../../model/run.ts";
import { listFailureGroups, showFailureGroup } from "./read-failures.ts";

type FailureStore = Parameters<typeof listFailureGroups>[0];

/** A list of events as a store answers it, of runs that are all of one pipeline. */
function storeOf(
  events: readonly MillraceEvent[],
  nowMs: number = 1,
): FailureStore & { readonly asked: EventQuery[] } {
  const asked: EventQuery[] = [];
  return {
    asked,
    // Of a run only its name and pipeline are looked at.
    findRun: async (id) => ({ id, number: Number(id), pipeline: "crawl" }) as RunRecord,
    findRecord: async () => undefined,
    listRecords: async () => [],
    nowMs: () => nowMs,
    listEvents: async (query) => {
      asked.push(query);
      const { after, before = Infinity, types, sinceMs = 0, limit } = query;
      return events
        .filter(({ seq, type, atMs }) => {
          const isOfType = types === undefined || types.includes(type);
          return seq > after && seq < before && isOfType && atMs >= sinceMs;
        })
        .toReversed()
        .slice(0, limit);
    },
  };
}

type Told = Pick<MillraceEvent, "type" | "run"> & Partial<MillraceEvent>;

function toEvents(told: readonly Told[]): readonly MillraceEvent[] {
  return told.map((each, index) => ({ seq: index + 1, runSeq: 1, atMs: index + 1, ...each }));
}

const same = { class: "unknown", fingerprint: "f1", message: "no" };

test("an item, its stage and its run tell one failure", async () => {
  const store = storeOf(
    toEvents([
      { type: "item.failed", run: "1", stage: "score", item: "a", data: same },
      { type: "stage.failed", run: "1", stage: "score", data: same },
      { type: "run.failed", run: "1", data: { ...same, stage: "score" } },
    ]),
  );
  const [group] = (await listFailureGroups(store)).groups;
  expect(group).toMatchObject({ count: 1, runs: 1, items: 1, sample: { item: "a" } });
});

test("a run that failed by itself counts, and so does a stage whose items are told no more", async () => {
  const late = { ...same, fingerprint: "deadline", class: "deadline" };
  const store = storeOf(
    toEvents([
      { type: "run.failed", run: "1", data: late },
      { type: "stage.failed", run: "2", stage: "score", data: same },
      { type: "run.failed", run: "2", data: same },
    ]),
  );
  const { groups } = await listFailureGroups(store);
  expect(groups.map(({ fingerprint, count, stage }) => [fingerprint, count, stage])).toEqual([
    ["f1", 1, "score"],
    ["deadline", 1, undefined],
  ]);
});

test("an item that failed in two runs, and twice in one of them, is two items and three failures", async () => {
  const failed = { type: "item.failed", stage: "score", item: "a", data: same } as const;
  const store = storeOf(toEvents(["1", "2", "2"].map((run) => ({ ...failed, run }))));
  const kind = await showFailureGroup(store, "f1", { limit: 2 });
  expect(kind.group).toMatchObject({
    count: 3,
    runs: 2,
    items: 2,
    firstAt: iso(1),
    lastAt: iso(3),
  });
  expect(kind.failures.map(({ at }) => at)).toEqual([iso(3), iso(2)]);
});

test("failures are counted by hours of a day, and a kind is new for a day", async () => {
  const hourMs = 3_600_000;
  const nowMs = 100.5 * hourMs;
  const times = [75.9, 77.1, 77.9, 99.9, 100.1].map((hours) => hours * hourMs);
  const failed = { type: "run.failed", run: "1", data: same } as const;
  const events = toEvents(times.map((atMs) => ({ ...failed, atMs })));
  const [group] = (await listFailureGroups(storeOf(events, nowMs))).groups;
  expect(group?.trend).toEqual([2, ...Array.from({ length: 21 }, () => 0), 1, 1]);
  expect(group?.status).toBe("known");
  const [later] = (await listFailureGroups(storeOf(events.slice(1), nowMs))).groups;
  expect([later?.status, later?.count]).toEqual(["new", 4]);
});

test("the newest failures are looked at, and it is said from when on", async () => {
  const failed = { type: "run.failed", run: "1", data: same } as const;
  const store = storeOf(toEvents(Array.from({ length: FAILURE_EVENTS_MAX + 1 }, () => failed)));
  const { complete, from } = await listFailureGroups(store);
  expect([complete, from]).toEqual([false, iso(1)]);
  expect(await listFailureGroups(store, { sinceMs: 2 })).toMatchObject({ complete: true });
});

test("a long list without failures is passed over in pieces, and not to its end", async () => {
  const ends = [1, FAILURE_SPAN_MAX + EVENT_SCAN_MAX].map((seq) => ({
    type: "run.succeeded",
    seq,
  }));
  const store = storeOf(toEvents(ends.map((each) => ({ ...each, run: "1" }) as Told)));
  const { complete, total } = await listFailureGroups(store);
  expect([complete, total]).toEqual([false, 0]);
  const pieces = store.asked.filter(({ types }) => types !== undefined);
  expect(pieces).toHaveLength(FAILURE_SPAN_MAX / EVENT_SCAN_MAX);
  for (const { after, before = 0 } of pieces) expect(before - after - 1).toBe(EVENT_SCAN_MAX);
});

function iso(ms: number): string {
  return `1970-01-01T00:00:00.${String(ms).padStart(3, "0")}Z`;
}
