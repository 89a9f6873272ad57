// All events of a mill for readers of the library, on both stores: history and live ones in one sequence, progress,
// types that are live only, reports from outside.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { map, pipeline, stage } from "../../../src/exports/index.ts";
import type { Millrace, MillraceEvent } from "../../../src/exports/index.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeDurableWorld, makeGate, STORES } from "../../support/durable/durable-world.ts";

async function takeUntil(
  events: AsyncIterableIterator<MillraceEvent>,
  isLast: (event: MillraceEvent) => boolean,
  isKept = false,
): Promise<MillraceEvent[]> {
  const found: MillraceEvent[] = [];
  for (;;) {
    const step = await events.next();
    if (step.done === true) break;
    found.push(step.value);
    if (isLast(step.value)) break;
  }
  if (!isKept) await events.return?.();
  return found;
}

const isEnd = ({ type }: MillraceEvent): boolean =>
  ["run.succeeded", "run.failed", "run.skipped", "run.cancelled"].includes(type);

async function storedOf(mill: Millrace): Promise<readonly MillraceEvent[]> {
  return await mill.store.listEvents({ after: 0, limit: 1_000 });
}

function makeCrawl() {
  const gate = makeGate();
  const list = stage("list", {}, () => ["a", "b", "c"]);
  const score = map("score", { over: list, key: (row) => row }, async (row, _needs, ctx) => {
    ctx.progress(1, 2);
    ctx.log.info(`scored ${row}`);
    ctx.emit("partial", { row });
    if (row === "b") await gate.opened;
    return row.length;
  });
  const saved = stage("save", { needs: { score } }, ({ score: all }) => all.length);
  return { gate, crawl: pipeline("crawl", { output: { saved } }) };
}

describe.each(STORES)("all events on %s", (kind) => {
  test("R220: who joins in mid-run and reconnects gets every number once, and what the store has", async () => {
    const { crawl, gate } = makeCrawl();
    const mill = await makeDurableWorld(kind).open([crawl]);
    const first = mill.events({ storedOnly: true });
    const run = await mill.start(crawl, undefined);
    const before = await takeUntil(first, ({ type }) => type === "item.succeeded");
    const lastSeq = before.at(-1)?.seq ?? 0;
    const rest = mill.events({ after: lastSeq, storedOnly: true });
    gate.open();
    const after = await takeUntil(rest, isEnd);
    await run.result();
    assert.deepEqual([...before, ...after], await storedOf(mill));
    const seqs = [...before, ...after].map(({ seq }) => seq);
    assert.ok(seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0)));
  });

  test("R289: snapshots and live events of one run and of all are by number, whoever else runs", async () => {
    const { crawl, gate } = makeCrawl();
    gate.open();
    const mill = await makeDurableWorld(kind).open([crawl]);
    const one = await mill.start(crawl, undefined);
    const ofOne = mill.events({ after: 0, run: one.id, storedOnly: true });
    const ofAll = mill.events({ after: 0, types: ["run.*"] });
    const two = await mill.start(crawl, undefined);
    await Promise.all([one.result(), two.result()]);
    const events = await takeUntil(ofOne, isEnd);
    assert.deepEqual(
      events.map(({ runSeq }) => runSeq),
      events.map((_, index) => index + 1),
    );
    assert.ok(events.every((event) => event.run === one.id));
    let ends = 0;
    const runs = await takeUntil(ofAll, (event) => isEnd(event) && ++ends === 2);
    const expected = (await storedOf(mill)).filter(({ type }) => type.startsWith("run."));
    assert.deepEqual(runs, expected);
  });

  test("R296: progress of a run is seen live, after what was stored before it", async () => {
    const { crawl, gate } = makeCrawl();
    const mill = await makeDurableWorld(kind).open([crawl]);
    const events = mill.events({ types: ["stage.progressed", "stage.succeeded", "item.started"] });
    const run = await mill.start(crawl, undefined);
    const found = await takeUntil(events, ({ type }) => type === "stage.progressed");
    assert.deepEqual(
      [...new Set(found.map(({ type }) => type))],
      ["stage.succeeded", "item.started", "stage.progressed"],
    );
    const last = found.at(-1);
    assert.deepEqual([last?.run, last?.stage, last?.seq], [run.id, "score", 0]);
    assert.deepEqual(last?.data, { done: 1, total: 2 });
    gate.open();
    await run.result();
    assert.ok((await storedOf(mill)).every(({ type }) => type !== "stage.progressed"));
  });

  test("R223: types can be set to be live only: told, not stored, and nothing else is lost", async () => {
    const { crawl, gate } = makeCrawl();
    const ephemeral = ["stage.emitted", "item.*", "external.reported"];
    const mill = await makeDurableWorld(kind).open([crawl], { events: { ephemeral } });
    const events = mill.events({});
    const run = await mill.start(crawl, undefined);
    const live = await takeUntil(events, ({ type }) => type === "item.succeeded", true);
    assert.deepEqual(await mill.recordEvent({ name: "feed.read", source: "test", run: run.id }), {
      created: true,
      seq: 0,
    });
    gate.open();
    const result = await run.result();
    assert.equal(result.state, "succeeded");
    live.push(...(await takeUntil(events, isEnd)));
    const stored = await storedOf(mill);
    const countOf = (list: readonly MillraceEvent[], type: string): number =>
      list.filter((event) => event.type === type).length;
    for (const type of ["stage.emitted", "item.succeeded", "external.reported"]) {
      assert.equal(countOf(stored, type), 0, type);
      assert.equal(countOf(live, type), type === "external.reported" ? 1 : 3, type);
    }
    assert.equal(countOf(stored, "stage.logged"), 3);
    assert.deepEqual(
      stored.map(({ runSeq }) => runSeq),
      stored.map((_, index) => index + 1),
    );
    assert.deepEqual(
      live.filter(({ seq }) => seq > 0),
      stored,
    );
  });

  test("R203: a failed run is told failed once, and agrees with its result and record", async () => {
    const bad = pipeline("bad", {
      output: {
        end: stage("end", {}, () => {
          throw new Error("no");
        }),
      },
    });
    const mill = await makeDurableWorld(kind).open([bad]);
    const events = mill.events({ types: ["run.*", "stage.*"], storedOnly: true });
    const run = await mill.start(bad, undefined);
    const result = await run.result();
    const found = await takeUntil(events, isEnd);
    await mill.close();
    const types = found.map(({ type }) => type);
    assert.equal(result.state, "failed");
    assert.equal(types.filter((type) => type === "run.failed").length, 1);
    assert.ok(types.every((type) => !type.endsWith(".succeeded")));
    assert.equal(types.at(-1), "run.failed");
  });

  test("a reader ends when the mill closes, and has had everything by then", async () => {
    const { crawl, gate } = makeCrawl();
    gate.open();
    const mill = await makeDurableWorld(kind).open([crawl]);
    const found: MillraceEvent[] = [];
    const reading = (async () => {
      for await (const event of mill.events({ storedOnly: true })) found.push(event);
    })();
    await (await mill.start(crawl, undefined)).result();
    const stored = await storedOf(mill);
    await mill.close();
    await reading;
    assert.deepEqual(found, stored);
  });

  test("a run or type that is not there is refused with the first event that is asked for", async () => {
    const mill = await makeDurableWorld(kind).open([]);
    await expect(mill.events({ run: "zz" }).next()).rejects.toMatchObject({
      code: "RUN_NOT_FOUND",
    });
    await expect(mill.events({ types: ["run.lost"] }).next()).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
    await expect(mill.events({ after: -1 }).next()).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });

  test("R227 R229: a report is told with its source and its time in UTC, of its run or of none", async () => {
    const { crawl, gate } = makeCrawl();
    gate.open();
    const mill = await makeDurableWorld(kind).open([crawl]);
    const run = await mill.start(crawl, undefined);
    await run.result();
    const at = "2026-07-14T08:31:07.41";
    const told = await mill.recordEvent({
      name: "import.finished",
      source: "cron@host-1",
      at,
      message: "12 files",
      data: { files: 12 },
      run: run.name,
    });
    const alone = await mill.recordEvent({ name: "disk.checked", source: "cron@host-1" });
    const events = await mill.store.listEvents({
      after: (told.seq ?? 0) - 1,
      limit: 10,
    });
    assert.deepEqual(
      events.map(({ seq, type, run: of, data }) => [seq, type, of, data?.["name"], data?.["at"]]),
      [
        [told.seq, "external.reported", run.id, "import.finished", "2026-07-14T08:31:07.410Z"],
        [alone.seq, "external.reported", "", "disk.checked", events[1]?.data?.["at"]],
      ],
    );
    assert.equal(events[0]?.data?.["message"], "12 files");
    assert.deepEqual(events[0]?.data?.["data"], { files: 12 });
    assert.equal((await mill.run(run.id)).state, "succeeded");
    await expect(mill.recordEvent({ name: "x.y", source: "s", run: "zzz" })).rejects.toMatchObject({
      code: "RUN_NOT_FOUND",
    });
    await expect(
      mill.recordEvent({ name: "x", source: "s", run: "../../etc" }),
    ).rejects.toMatchObject({ code: "EVENT_INVALID", details: { faults: { length: 2 } } });
  });

  test("R227: a report with a key is told once, however often and at once it comes", async () => {
    const mill = await makeDurableWorld(kind).open([]);
    const report = { name: "run.done", source: "other", key: "2026-07-14/1" };
    const answers = await Promise.all(Array.from({ length: 10 }, () => mill.recordEvent(report)));
    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.deepEqual(await mill.recordEvent(report), { created: false });
    assert.equal((await mill.recordEvent({ ...report, key: "2026-07-14/2" })).created, true);
    assert.equal((await storedOf(mill)).length, 2);
  });
});

test("a key is forgotten after a week, and told anew then", async () => {
  const clock = makeVirtualClock();
  const mill = await makeDurableWorld("memory").open([], { clock });
  const report = { name: "run.done", source: "other" };
  for (let day = 0; day < 6; day++) await mill.recordEvent({ ...report, key: `day/${day}` });
  await clock.advance(7 * 86_400_000 - 1);
  assert.equal((await mill.recordEvent({ ...report, key: "day/0" })).created, false);
  await clock.advance(1);
  assert.equal((await mill.recordEvent({ ...report, key: "day/0" })).created, true);
  const left = await mill.store.listRecords({ collection: "reports", limit: 100 });
  assert.equal(left.length, 1);
});

test("settings of events are read whole: every fault with its path", async () => {
  const events = {
    subscribers: 0,
    ephemeral: ["run.failed", "stage.lgged"],
    archive: { kep: "1d" },
  };
  await expect(
    makeDurableWorld("memory").open([], { events: events as never }),
  ).rejects.toMatchObject({
    code: "OPTION_INVALID",
    message: expect.stringMatching(
      /events\.subscribers[^]*events\.ephemeral: there is no type of event "stage\.lgged"; did you mean "stage\.logged"[^]*always stored: run\.failed[^]*events\.archive\.kep[^]*events\.archive\.folder: is missing/,
    ),
  });
});
