// Pages of runs both ways: whatever comes meanwhile, each run is seen once.

import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { toCrockford } from "../../../std/crockford.ts";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { MemoryStore } from "../../../storage/memory/memory-store.ts";
import type { Store } from "../../../storage/store.ts";
import { applyAll, createRun } from "../../../testing/store-suite/fixture.ts";
import { readRunPage, type RunFilter, type RunPlace } from "./run-page.ts";

interface Seen {
  readonly numbers: readonly number[];
  readonly next?: string;
  readonly previous?: string;
}

async function makeStore(pipelines: readonly string[]): Promise<Store> {
  const store = new MemoryStore({ clock: makeVirtualClock() });
  await add(store, pipelines);
  return store;
}

async function add(store: Store, pipelines: readonly string[]): Promise<void> {
  if (pipelines.length === 0) return;
  await applyAll(store, ...pipelines.map((pipeline) => createRun({ pipeline })));
}

async function see(store: Store, filter: RunFilter, place: RunPlace): Promise<Seen> {
  const { runs, cursors } = await readRunPage(store, filter, place);
  return {
    numbers: runs.map(({ number }) => number),
    ...(cursors.nextCursor === undefined ? {} : { next: cursors.nextCursor }),
    ...(cursors.previousCursor === undefined ? {} : { previous: cursors.previousCursor }),
  };
}

/** Goes on from a page in one direction to its end, doing something before each step. */
async function walk(
  read: (cursor: string) => Promise<Seen>,
  start: Seen,
  of: { readonly way: "next" | "previous"; readonly before?: () => Promise<void> },
): Promise<readonly Seen[]> {
  const pages = [start];
  for (let cursor = start[of.way]; cursor !== undefined; cursor = pages.at(-1)?.[of.way]) {
    await of.before?.();
    pages.push(await read(cursor));
  }
  return pages;
}

async function allNumbers(store: Store, filter: RunFilter): Promise<readonly number[]> {
  return (await store.listRuns({ ...filter, limit: 500 })).map(({ number }) => number);
}

const pipelines = fc.array(fc.constantFrom("a", "b"), { maxLength: 12 });
const filters = fc.constantFrom<RunFilter>({}, { pipeline: "a" });
const limits = fc.integer({ min: 1, max: 5 });

test.prop([
  fc.record({ first: pipelines, later: fc.array(pipelines, { maxLength: 6 }) }),
  filters,
  limits,
])(
  "there and back again each run is seen once, also those that came meanwhile",
  async ({ first, later }, filter, limit) => {
    const store = await makeStore(first);
    const known = await allNumbers(store, filter);
    const arrivals = [...later];
    const before = async (): Promise<void> => add(store, arrivals.shift() ?? []);
    const read = (cursor: string): Promise<Seen> => see(store, filter, { cursor, limit });

    const down = await walk(read, await see(store, filter, { limit }), { way: "next", before });
    expect(down.flatMap(({ numbers }) => numbers)).toEqual(known);

    const bottom = down.at(-1);
    if (bottom === undefined || down.length === 1) return;
    const up = await walk(read, bottom, { way: "previous", before });
    const back = up.toReversed().flatMap(({ numbers }) => numbers);
    expect(back).toEqual(await allNumbers(store, filter));
  },
);

test.prop([fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 20 }), fc.nat(), limits])(
  "the page around a run holds it, is as full as it can be, and leads to all others",
  async (first, pick, limit) => {
    const store = await makeStore(first);
    const number = (pick % first.length) + 1;
    const filter = { pipeline: first[number - 1] ?? "a" };
    const known = await allNumbers(store, filter);
    const page = await see(store, filter, { around: toCrockford(number), limit });
    expect(page.numbers).toContain(number);
    expect(page.numbers).toHaveLength(Math.min(limit, known.length));

    const read = (cursor: string): Promise<Seen> => see(store, filter, { cursor, limit });
    const up = await walk(read, page, { way: "previous" });
    const down = await walk(read, page, { way: "next" });
    const all = [...up.slice(1).toReversed(), ...down].flatMap(({ numbers }) => numbers);
    expect(all).toEqual(known);
  },
);

test("a run stands in the midst of its page, and one that the filter leaves out in none", async () => {
  const store = await makeStore(["a", "a", "a", "b", "a", "a", "a"]);
  expect((await see(store, {}, { around: "4", limit: 5 })).numbers).toEqual([6, 5, 4, 3, 2]);
  expect((await see(store, {}, { around: "last", limit: 3 })).numbers).toEqual([7, 6, 5]);
  const page = await see(store, { pipeline: "a" }, { around: "4", limit: 4 });
  expect(page).toEqual({ numbers: [5, 3, 2, 1], previous: "5.newer" });
});

test("an empty page leads back to where it was come from", async () => {
  const store = await makeStore(["a", "b"]);
  const newer = await see(store, {}, { cursor: "2.newer", limit: 1 });
  expect(newer).toEqual({ numbers: [], next: "3" });
  expect((await see(store, {}, { cursor: "3", limit: 1 })).numbers).toEqual([2]);
  const older = await see(store, { pipeline: "b" }, { cursor: "2" });
  expect(older).toEqual({ numbers: [], previous: "1.newer" });
});

test("a cursor of another list, one that nobody gave, and an unknown run are refused", async () => {
  const store = await makeStore(["a"]);
  const item = Buffer.from(JSON.stringify([0, "a"])).toString("base64url");
  const bad = [
    item,
    "H",
    "01",
    "",
    "0",
    "!",
    ".newer",
    "1.older",
    "7zzzzzzzzzz",
    "7zzzzzzzzzz.newer",
  ];
  for (const cursor of bad) {
    await expect(readRunPage(store, {}, { cursor }), cursor).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: `"${cursor}" is no cursor of this list.`,
    });
  }
  await expect(readRunPage(store, {}, { cursor: "1", around: "1" })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
  await expect(readRunPage(store, {}, { around: "9" })).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
  });
});
