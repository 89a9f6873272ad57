import { afterEach, expect, test } from "vitest";
import type { Context } from "../../model/context.ts";
import { openMillrace, type Millrace } from "../millrace.ts";
import { definePipeline, type StageById } from "../pipeline.ts";
import { toPlanRecords } from "./plan-basis.ts";
import { readRunHistory } from "./run-history.ts";
import { findRun } from "./find-run.ts";
import { iterateItems, listItems } from "./list-items.ts";
import { findResumable, listRuns } from "./list-runs.ts";
import { showItem, showRun, showStage } from "./show-run.ts";

let open: Millrace | undefined;

afterEach(async () => {
  await open?.close({ drainMs: 0 });
  open = undefined;
});

async function setup(): Promise<Millrace> {
  open = await openMillrace({ store: "memory:", graceMs: 10 });
  return open;
}

const ok: readonly StageById[] = [{ id: "a", run: () => 1 }];
const bad: readonly StageById[] = [
  {
    id: "a",
    run: () => {
      throw new Error("x".repeat(1_000));
    },
  },
];

/** Starts a pipeline, and waits for its end. */
async function work(
  mill: Millrace,
  stages: readonly StageById[],
  options: Parameters<Millrace["start"]>[2] & {
    readonly name?: string;
    readonly input?: unknown;
  } = {},
): Promise<string> {
  const { name = "made", input, ...rest } = options;
  const run = await mill.start(definePipeline({ name, stages }), input, rest);
  await run.result();
  return run.name;
}

test("a run is found by its short name in any case, by its id, and as the last", async () => {
  const mill = await setup();
  for (let index = 0; index < 17; index++) await work(mill, ok);
  const { store } = mill;
  const last = await findRun(store, "last");

  expect(last.number).toBe(17);
  expect((await findRun(store, "H")).id).toBe(last.id);
  expect((await findRun(store, "h")).id).toBe(last.id);
  expect((await findRun(store, last.id.toUpperCase())).id).toBe(last.id);
  expect((await findRun(store, " LAST ")).id).toBe(last.id);
  expect((await findRun(store, "1")).number).toBe(1);
});

test("an unknown run is refused with the newest one", async () => {
  const mill = await setup();

  await expect(findRun(mill.store, "last")).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: 'There is no run "last": the store memory: holds no runs.',
  });
  await work(mill, ok);
  for (const reference of ["zz", "0", "", "not a run", "01890000-0000-7000-8000-000000000000"]) {
    await expect(findRun(mill.store, reference)).rejects.toMatchObject({
      code: "RUN_NOT_FOUND",
      hint: expect.stringContaining('the newest is "1"'),
      next: "npx millrace runs",
    });
  }
});

test("runs are listed newest first, page by page, each once", async () => {
  const mill = await setup();
  for (let index = 0; index < 7; index++) await work(mill, ok);

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listRuns(mill.store, {
      limit: 3,
      ...(cursor === undefined ? {} : { cursor }),
    });
    expect(page.runs.length).toBeLessThanOrEqual(3);
    seen.push(...page.runs.map((run) => run.name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);

  expect(seen).toEqual(["7", "6", "5", "4", "3", "2", "1"]);
});

test("runs are filtered by state, pipeline, time and tag", async () => {
  const mill = await setup();
  await work(mill, ok, { tags: { who: "ana" } });
  await work(mill, bad, { name: "other" });
  const { store } = mill;
  const names = async (query: Parameters<typeof listRuns>[1]): Promise<string[]> =>
    (await listRuns(store, query)).runs.map((run) => run.name);

  expect(await names({ states: ["failed"] })).toEqual(["2"]);
  expect(await names({ pipeline: "made" })).toEqual(["1"]);
  expect(await names({ tag: ["who", "ana"] })).toEqual(["1"]);
  expect(await names({ sinceMs: store.nowMs() + 1_000 })).toEqual([]);
  expect((await findResumable(store))?.number).toBe(2);
});

test("a limit out of bounds and a cursor that is none are refused", async () => {
  const { store } = await setup();

  for (const limit of [0, 501, -1, 1.5, Number.NaN]) {
    await expect(listRuns(store, { limit })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  }
  await expect(listRuns(store, { cursor: "!" })).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

test("R205: a run names its parent, and the runs of a parent are listed", async () => {
  const mill = await setup();
  const { store } = mill;
  await work(mill, ok);
  const parent = await findRun(store, "1");
  await work(mill, ok, { parentRun: parent.id });
  await work(mill, ok);

  const { runs } = await listRuns(store, { parent: "1" });
  const shown = await showRun(store, "2");

  expect(runs.map((run) => [run.name, run.parent])).toEqual([["2", parent.id]]);
  expect(shown.lineage.parent).toEqual({ id: parent.id, name: "1" });
  expect((await showRun(store, "1")).lineage.children.map((child) => child.name)).toEqual(["2"]);
});

test("R92: an error is cut to 500 characters in lists and 200 in the retry history; the attempt keeps it whole", async () => {
  const mill = await setup();
  const stages = [{ ...bad[0], id: "a", retry: { attempts: 2, initialDelay: 1 } }];
  await work(mill, stages);

  const { run, stages: views, failures } = await showRun(mill.store, "last");
  const { stage } = await showStage(mill.store, "last", "a");

  for (const message of [run.error?.message, views[0]?.error?.message, failures[0]?.message]) {
    expect(message?.length).toBeGreaterThan(490);
    expect(message?.length).toBeLessThanOrEqual(500);
    expect(message).toMatch(/… \(\+\d+ characters\)$/);
  }
  const [first, last] = stage.history.map((attempt) => attempt.message?.length ?? 0);
  expect(first).toBeGreaterThan(190);
  expect(first).toBeLessThanOrEqual(200);
  expect(last).toBe(1_000);
  expect(stage.history[0]?.message).toMatch(/… \(\+\d+ characters\)$/);
});

test("R256: a run's record holds hash, times, state, settings, and its stages with attempts and waits", async () => {
  const mill = await setup();
  let calls = 0;
  const flaky = (): number => {
    calls += 1;
    if (calls === 1) throw new Error("once");
    return calls;
  };
  const retry = { attempts: 3, initialDelay: 5, jitter: "none" };
  const definition = definePipeline({ name: "made", stages: [{ id: "a", run: flaky, retry }] });
  const handle = await mill.start(definition, undefined, { concurrency: 3, tags: { t: "1" } });
  await handle.result();

  const { run, stages } = await showRun(mill.store, "last");

  expect(run).toMatchObject({
    id: handle.id,
    definition: definition.hash,
    state: "succeeded",
    settings: { concurrency: 3 },
    tags: { t: "1" },
    retries: 1,
  });
  for (const time of [run.queuedAt, run.startedAt, run.updatedAt, run.endedAt]) {
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  expect(stages).toMatchObject([
    { stage: "a", state: "succeeded", via: "run", attempts: 2, attemptsMax: 3 },
  ]);
  expect(stages[0]?.startedAt).toBeDefined();
  expect(stages[0]?.endedAt).toBeDefined();
  expect(stages[0]?.waitedMs["retry"]).toBeGreaterThanOrEqual(5);
  expect(run.waitedMs).toEqual(stages[0]?.waitedMs);
});

const LIST: readonly StageById[] = [
  { id: "list", run: () => ["a", "b/1", "c", "d", "e"] },
  {
    id: "each",
    over: "list",
    key: (item: string) => item,
    onItemFailure: "continue",
    run: (item: string) => {
      if (item === "c" || item === "d") throw new Error(`bad ${item === "c" ? 1 : 2}`);
      return { item, at: new Date(0) };
    },
  },
];

test("items are listed in their order, page by page, with counts", async () => {
  const mill = await setup();
  await work(mill, LIST);
  const query = { run: "last", stage: "each" };

  const first = await listItems(mill.store, { ...query, limit: 2 });
  const second = await listItems(mill.store, {
    ...query,
    limit: 3,
    ...(first.nextCursor === undefined ? {} : { cursor: first.nextCursor }),
  });
  const failed = await listItems(mill.store, { ...query, states: ["failed"] });

  expect([...first.items, ...second.items].map((item) => item.key)).toEqual([
    "a",
    "b/1",
    "c",
    "d",
    "e",
  ]);
  expect(first.counts).toMatchObject({ total: 5, succeeded: 3, failed: 2, pending: 0 });
  expect(failed.items.map((item) => [item.key, item.error?.message])).toEqual([
    ["c", "bad 1"],
    ["d", "bad 2"],
  ]);
  await expect(listItems(mill.store, { ...query, stage: "eech" })).rejects.toMatchObject({
    code: "STAGE_UNKNOWN",
    hint: 'did you mean "each"?',
    details: { given: "eech", known: ["list", "each"] },
  });
  await expect(listItems(mill.store, { ...query, cursor: "?" })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
});

test("pages of items go both ways, and one is found by the key of an item", async () => {
  const mill = await setup();
  await work(mill, LIST);
  const of = { run: "last", stage: "each", limit: 2 };
  const see = async (query: Partial<Parameters<typeof listItems>[1]>): Promise<unknown[]> => {
    const { items, nextCursor, previousCursor } = await listItems(mill.store, { ...of, ...query });
    return [items.map(({ key }) => key), nextCursor, previousCursor];
  };

  const [first, next, none] = await see({});
  expect([first, none]).toEqual([["a", "b/1"], undefined]);
  const [second, , back] = await see({ cursor: String(next) });
  expect(second).toEqual(["c", "d"]);
  const [again, , top] = await see({ cursor: String(back) });
  expect(again).toEqual(["a", "b/1"]);
  const [nothing, down] = await see({ cursor: String(top) });
  expect([nothing, (await see({ cursor: String(down) }))[0]]).toEqual([[], ["a", "b/1"]]);

  const [all, more] = await see({ limit: 5 });
  const [end, , up] = await see({ cursor: String(more) });
  expect([end, (await see({ cursor: String(up), limit: 5 }))[0]]).toEqual([[], all]);

  const [middle, after, before] = await see({ around: "c", limit: 3 });
  expect(middle).toEqual(["b/1", "c", "d"]);
  expect((await see({ cursor: String(after) }))[0]).toEqual(["e"]);
  expect((await see({ cursor: String(before) }))[0]).toEqual(["a"]);
  expect((await see({ around: "e", limit: 3 }))[0]).toEqual(["c", "d", "e"]);
  const [failed, , toAll] = await see({ around: "a", states: ["failed"] });
  expect([failed, toAll]).toEqual([["c", "d"], undefined]);
  await expect(see({ around: "f" })).rejects.toMatchObject({ code: "ITEM_UNKNOWN" });
  await expect(see({ around: "a", cursor: String(next) })).rejects.toMatchObject({
    code: "OPTION_INVALID",
  });
});

test("all items come one after the other, with their outputs as the store keeps them", async () => {
  const mill = await setup();
  await work(mill, LIST);

  const found: unknown[] = [];
  for await (const item of iterateItems(mill.store, { run: "last", stage: "each" })) {
    found.push([item.key, item.output]);
  }

  expect(found).toHaveLength(5);
  expect(found[0]).toEqual(["a", { item: "a", at: { "$:date": "1970-01-01T00:00:00.000Z" } }]);
  expect(found[2]).toEqual(["c", undefined]);
});

test("R98: a stage and an item are shown with state, start, end and error; unknown ones are refused", async () => {
  const mill = await setup();
  await work(mill, LIST);
  const { store } = mill;

  const { stage, failures } = await showStage(store, "last", "each");
  const { item } = await showItem(store, "last", { stage: "each", key: "c" });
  const slashed = await showItem(store, "last", { stage: "each", key: "b/1" });

  expect(stage).toMatchObject({ state: "succeeded", items: { total: 5 } });
  expect(stage.input["list"]?.value).toEqual(["a", "b/1", "c", "d", "e"]);
  expect(failures).toMatchObject([{ stage: "each", item: "c", count: 2 }]);
  expect(item).toMatchObject({
    key: "c",
    index: 2,
    state: "failed",
    error: { message: "bad 1", class: "unknown" },
    input: { value: "c" },
    attempts: [{ n: 1, message: "bad 1" }],
  });
  expect(item.startedAt).toBeDefined();
  expect(item.endedAt).toBeDefined();
  expect(slashed.item.input.value).toBe("b/1");
  await expect(showStage(store, "last", "x")).rejects.toMatchObject({ code: "STAGE_UNKNOWN" });
  await expect(showItem(store, "last", { stage: "each", key: "x" })).rejects.toMatchObject({
    code: "ITEM_UNKNOWN",
    next: "npx millrace items 1/each",
  });
});

test("equal failures of a stage are one line with a count and the first item", async () => {
  const mill = await setup();
  const items = Array.from({ length: 1_203 }, (_, index) => `row-${index}`);
  await work(mill, [
    {
      id: "each",
      over: items,
      key: (item: string) => item,
      concurrency: "none",
      onItemFailure: "continue",
      minSuccess: 1,
      run: (item: string) => {
        if (item !== "row-7") throw new Error("HTTP 502 from scorer");
        return 1;
      },
    },
  ]);

  const { failures, unread, run } = await showRun(mill.store, "last");

  expect(failures).toMatchObject([
    { stage: "each", item: "row-0", message: "HTTP 502 from scorer", count: 1_202 },
  ]);
  expect(unread).toBe(0);
  expect(run.items).toMatchObject({ total: 1_203, failed: 1_202, succeeded: 1 });
});

test("items that were not begun are counted as pending", async () => {
  const mill = await setup();
  const wait = (item: string, _needs: unknown, context: Context): Promise<string> =>
    item === "a"
      ? Promise.resolve(item)
      : new Promise((_resolve, reject) => {
          context.signal.addEventListener("abort", () => reject(context.signal.reason));
        });
  const begun = Promise.withResolvers<void>();
  const key = (item: string): string => item;
  const stages: readonly StageById[] = [
    { id: "each", over: ["a", "b", "c"], key, concurrency: 1, run: wait },
  ];
  const run = await mill.start(definePipeline({ name: "made", stages }), undefined, {
    onEvent: (event) => {
      if (event.type === "item.started" && event.item === "b") begun.resolve();
    },
  });
  await begun.promise;
  await run.interrupt(0);

  const { run: shown, stages: views } = await showRun(mill.store, "last");

  expect(shown).toMatchObject({
    state: "waiting",
    reason: "interrupted",
    blocker: { kind: "interrupted" },
  });
  expect(shown.items).toMatchObject({ total: 3, succeeded: 1, pending: 2 });
  expect(views[0]?.state).not.toBe("running");
});

test("R252: the history holds durations of stages that really ran, and the records of a run", async () => {
  const mill = await setup();
  await work(mill, ok);
  await work(mill, [...ok, { id: "b", run: () => 2 }], { skip: ["b"] });
  await work(mill, bad);
  const { store } = mill;

  const history = await readRunHistory(store, "made");
  const records = await toPlanRecords(store, await findRun(store, "1"));

  expect(history.runs).toBe(2);
  const sample = { durationMs: expect.any(Number), items: null };
  expect([...history.samples]).toEqual([["a", [sample, sample]]]);
  expect([...history.idle]).toEqual([["b", 1]]);
  expect(records).toMatchObject({ run: "1", stages: [{ stage: "a", state: "succeeded" }] });
});
