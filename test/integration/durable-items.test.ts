// Items of maps over a resume: known by key and content, never by position, whatever became of their list.

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, test } from "vitest";
import { map, pipeline, stage } from "../../src/exports/index.ts";
import { recordEvents } from "../../src/testing/record-events.ts";
import { makeDurableWorld, STORES } from "../support/durable/durable-world.ts";

interface Thing {
  readonly key: string;
  readonly text: string;
}

/** A map whose list comes from outside, like the files of a folder, and a reader of what it gives. */
function makeFolder(options: { readonly isKeyed: boolean; readonly isStream?: boolean }) {
  const world = { list: [] as readonly Thing[], failing: new Set<string>(), ran: [] as string[] };
  async function* stream() {
    for (const thing of world.list) yield await Promise.resolve(thing);
  }
  const things = map(
    "things",
    {
      over: (): AsyncIterable<Thing> =>
        options.isStream === true ? stream() : (world.list as never),
      ...(options.isKeyed ? { key: (thing: Thing) => thing.key } : {}),
      onItemFailure: "continue",
      tolerate: 0,
      concurrency: 3,
    },
    (thing) => {
      world.ran.push(`${thing.key}=${thing.text}`);
      if (world.failing.has(thing.key)) throw new Error(`no ${thing.key}`);
      return `${thing.key}=${thing.text}`;
    },
  );
  const all = stage("all", { needs: { things } }, (needs) =>
    needs.things.map((one) => one.value ?? one.status),
  );
  return { pipeline: pipeline("folder", { output: { all } }), world };
}

const thing = fc.record({
  key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  text: fc.constantFrom("1", "2"),
});
const list = fc.uniqueArray(thing, { selector: (one) => one.key, minLength: 1, maxLength: 6 });

describe.each(STORES)("items on %s", (kind) => {
  for (const isStream of [false, true]) {
    test(`no item receives another's checkpoint, and only added, changed and failed ones run again (${isStream ? "stream" : "list"})`, async () => {
      const { pipeline: folder, world } = makeFolder({ isKeyed: true, isStream });
      const mill = await makeDurableWorld(kind).open([folder]);
      await fc.assert(
        fc.asyncProperty(list, list, fc.nat(), async (before, after, pick) => {
          world.list = before;
          world.failing = new Set([before[pick % before.length]?.key ?? ""]);
          const run = await mill.start(folder, undefined);
          assert.equal((await run.result()).state, "failed");
          const kept = new Set(
            before
              .filter(({ key }) => !world.failing.has(key))
              .map((one) => `${one.key}=${one.text}`),
          );

          world.list = after;
          world.failing.clear();
          world.ran.length = 0;
          const result = await (await mill.resume(run.id, { here: true })).result();

          const wanted = after.map((one) => `${one.key}=${one.text}`);
          assert.deepEqual(result.outputs["all"], wanted);
          assert.deepEqual(world.ran.toSorted(), wanted.filter((one) => !kept.has(one)).toSorted());
          const rows = await mill.store.listItems({ runId: run.id, stage: "things", limit: 100 });
          assert.deepEqual(
            rows.map(({ key, index, state }) => [key, index, state]),
            after.map(({ key }, index) => [key, index, "succeeded"]),
          );
          const counts = await mill.store.countItems(run.id);
          assert.deepEqual(counts.get("things"), { succeeded: after.length });
          assert.deepEqual((await mill.result(run.id)).outputs["all"], wanted);
        }),
        { numRuns: 60 },
      );
    });
  }

  test("equal items without keys are interchangeable, and none is lost", async () => {
    const { pipeline: folder, world } = makeFolder({ isKeyed: false });
    const mill = await makeDurableWorld(kind).open([folder]);
    const a = { key: "a", text: "1" };
    const b = { key: "b", text: "1" };
    world.list = [a, a, b, a];
    world.failing = new Set(["b"]);
    const run = await mill.start(folder, undefined);
    await run.result();
    world.list = [b, a, a, a, a];
    world.failing.clear();
    world.ran.length = 0;
    const result = await (await mill.resume(run.id, { here: true })).result();

    assert.deepEqual(result.outputs["all"], ["b=1", "a=1", "a=1", "a=1", "a=1"]);
    assert.deepEqual(world.ran.toSorted(), ["a=1", "b=1"]);
  });

  test("a list stage that gives another list leaves the unchanged items alone, and says the counts", async () => {
    const ran: string[] = [];
    const make = (version: string, names: readonly string[]) => {
      const names_ = stage("names", { version }, () => names);
      const each = map("each", { over: names_, key: (name: string) => name }, (name) => {
        ran.push(name);
        return name.toUpperCase();
      });
      const end = stage("end", { needs: { each } }, ({ each: all }) => {
        if (version === "1") throw new Error("not yet");
        return all.join();
      });
      return pipeline("names", { output: { end } });
    };
    const first = make("1", ["a", "b", "c"]);
    const second = make("2", ["c", "d", "a"]);
    const world = makeDurableWorld("sqlite");
    const mill = await world.open([first]);
    const run = await mill.start(first, undefined);
    await run.result();
    await mill.close();
    ran.length = 0;

    const again = await world.open([second]);
    const recorder = recordEvents();
    const resumed = await again.resume(run.id, { here: true, onEvent: recorder.onEvent });
    const result = await resumed.result();

    assert.deepEqual(result.outputs["end"], "C,D,A");
    assert.deepEqual(ran, ["d"]);
    assert.deepEqual(resumed.resumed?.redo, [
      { stage: "names", reason: "its version, needs or options changed" },
      { stage: "each", reason: 'it needs "names", which is judged again' },
      { stage: "end", reason: "it failed" },
    ]);
    const expanded = recorder.events.find((event) => event.type === "stage.expanded");
    assert.deepEqual(expanded?.data, { items: 3, kept: 2, added: 1, changed: 0, removed: 1 });
  });

  test("a map whose items were all kept is itself a checkpoint, and its reader stays as it is", async () => {
    const calls: string[] = [];
    const make = (version: string) => {
      const names = stage("names", { version }, () => ["a", "b"]);
      const each = map(
        "each",
        { over: names, key: (name: string) => name },
        (name, _needs, ctx) => {
          calls.push(name);
          ctx.metric.increment("names");
          return name.toUpperCase();
        },
      );
      const joined = stage("joined", { needs: { each } }, ({ each: all }) => {
        calls.push("joined");
        return all.join();
      });
      const end = stage("end", { needs: { joined } }, () => {
        if (version === "1") throw new Error("not yet");
        return "end";
      });
      return pipeline("kept", { output: { joined, end } });
    };
    const world = makeDurableWorld("sqlite");
    const first = make("1");
    const mill = await world.open([first]);
    const run = await mill.start(first, undefined);
    await run.result();
    await mill.close();
    calls.length = 0;

    const second = make("2");
    const result = await (
      await (await world.open([second])).resume(run.id, { here: true })
    ).result();

    assert.deepEqual(calls, []);
    assert.equal(result.stages["each"]?.via, "checkpoint");
    assert.equal(result.stages["joined"]?.via, "checkpoint");
    assert.deepEqual(result.outputs, { joined: "A,B", end: "end" });
    assert.deepEqual(result.metrics, { names: 2 });
  });
});
