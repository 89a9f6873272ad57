// Files of events beside a store: they hold what it stored, each once, whatever is restarted or cannot be written.

import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { map, pipeline, stage } from "../../../src/exports/index.ts";
import type { EventSettings } from "../../../src/model/compile/event-settings.ts";
import { readEventArchive } from "../../../src/service/events/archive/read-event-archive.ts";
import { startArchive } from "../../../src/service/events/open-archive.ts";
import { contextOf } from "../../../src/service/mill-context.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { toEventView } from "../../../src/service/views/event-view.ts";
import { makeDurableWorld, STORES } from "../../support/durable/durable-world.ts";

function makeCrawl() {
  const list = stage("list", {}, () => ["a", "b", "c"]);
  const score = map("score", { over: list, key: (row) => row }, (row) => row.length);
  return pipeline("crawl", { output: { score } });
}

function readLines(path: string): unknown[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

/** Lines of all days, in order. */
function readDays(folder: string): unknown[] {
  const days = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return days.toSorted().flatMap((name) => readLines(join(folder, name)));
}

describe.each(STORES)("files of events on %s", (kind) => {
  test("R219: every stored event is a line of its day and of its run, as the store has it", async () => {
    const crawl = makeCrawl();
    const world = makeDurableWorld(kind);
    const folder = join(world.folder, "events");
    const mill = await world.open([crawl], { events: { archive: { folder, perRun: true } } });
    const one = await mill.start(crawl, undefined);
    const two = await mill.start(crawl, undefined);
    const results = await Promise.all([one.result(), two.result()]);
    await mill.recordEvent({ name: "disk.checked", source: "test" });
    const stored = await mill.store.listEvents({ after: 0, limit: 1_000 });
    await mill.close();

    assert.deepEqual(
      results.map(({ state, warnings }) => [state, warnings]),
      [
        ["succeeded", 0],
        ["succeeded", 0],
      ],
    );
    const views = stored.map(toEventView);
    assert.deepEqual(readDays(folder), views);
    for (const { id } of [one, two]) {
      const own = readLines(join(folder, "runs", `${id}.jsonl`));
      assert.deepEqual(
        own,
        views.filter(({ run }) => run === id),
      );
      assert.ok(own.length > 5);
    }
  });

  test("R226: a folder that cannot be written is one warning, of the run and of the process", async () => {
    const crawl = makeCrawl();
    const world = makeDurableWorld(kind);
    const file = join(world.folder, "in-the-way");
    writeFileSync(file, "");
    const warnings: string[] = [];
    const mill = await world.open([crawl], {
      events: { archive: { folder: join(file, "events"), perRun: true } },
      onWarning: (message) => void warnings.push(message),
    });
    const run = await mill.start(crawl, undefined);
    const result = await run.result();
    assert.deepEqual([result.state, result.warnings], ["succeeded", 1]);
    assert.deepEqual((await mill.run(run.id)).warnings, 1);
    await (await mill.start(crawl, undefined)).result();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /Events are not written to ".*in-the-way/);

    rmSync(file);
    const again = await (await mill.start(crawl, undefined)).result();
    assert.equal(again.warnings, 0);
    const stored = await mill.store.listEvents({ after: 0, limit: 1_000 });
    await mill.close();
    assert.equal(warnings.length, 2);
    assert.deepEqual(readDays(join(file, "events")), stored.map(toEventView));
  });
});

describe("files of events after a restart", () => {
  async function runTwice(between: (folder: string) => void) {
    const crawl = makeCrawl();
    const world = makeDurableWorld();
    const folder = join(world.folder, "events");
    const events: EventSettings = { archive: { folder, perRun: true } };
    const first = await world.open([crawl], { events });
    const run = await first.start(crawl, undefined);
    await run.result();
    await first.close();
    between(folder);
    const second = await world.open([crawl], { events });
    await (await second.start(crawl, undefined)).result();
    const stored = await second.store.listEvents({ after: 0, limit: 1_000 });
    await second.close();
    return { world, folder, run, views: stored.map(toEventView) };
  }

  test("R219: the next process goes on where the last one ended, without a line twice", async () => {
    const { folder, views } = await runTwice(() => undefined);
    assert.deepEqual(readDays(folder), views);
  });

  test("R219: where the store remembers less than the files have, nothing is written twice", async () => {
    const crawl = makeCrawl();
    const world = makeDurableWorld();
    const folder = join(world.folder, "events");
    const events: EventSettings = { archive: { folder } };
    const first = await world.open([crawl], { events });
    await (await first.start(crawl, undefined)).result();
    await first.close();
    const database = world.raw();
    database.exec("DELETE FROM records WHERE collection = 'cursors'");
    database.close();
    const second = await world.open([crawl], { events });
    await (await second.start(crawl, undefined)).result();
    const stored = await second.store.listEvents({ after: 0, limit: 1_000 });
    await second.close();
    assert.deepEqual(readDays(folder), stored.map(toEventView));
  });

  test("of two processes one writes, and the other goes on once it has closed", async () => {
    const crawl = makeCrawl();
    const world = makeDurableWorld();
    const folder = join(world.folder, "events");
    const events: EventSettings = { archive: { folder } };
    const first = await world.open([crawl], { events });
    const second = await world.open([crawl], { events });
    await Promise.all(
      [first, second, first, second].map(async (mill) => {
        await (await mill.start(crawl, undefined)).result();
      }),
    );
    await first.close();
    await (await second.start(crawl, undefined)).result();
    const stored = await second.store.listEvents({ after: 0, limit: 1_000 });
    await second.close();
    assert.deepEqual(readDays(folder), stored.map(toEventView));
  });

  test("who writes again after others have filled files goes on in the last of them", async () => {
    const world = makeDurableWorld();
    const folder = join(world.folder, "events");
    const events: EventSettings = { archive: { folder, rotateBytes: 65_536 } };
    const open = async (startAtMs: number) => {
      const clock = makeVirtualClock({ startAtMs });
      const mill = await world.open([], { clock, events });
      await startArchive(mill);
      const tell = async (chars: number): Promise<void> => {
        await mill.recordEvent({ name: "x.read", source: "s", data: { pad: "x".repeat(chars) } });
        await contextOf(mill).events.archive?.then((archive) => archive.settle());
      };
      return { clock, mill, tell };
    };
    const startAtMs = Date.UTC(2026, 6, 14, 9);
    const first = await open(startAtMs);
    await first.tell(10);
    // To the other one the first is half a minute behind: it takes over, and fills two files.
    const other = await open(startAtMs + 31_000);
    for (let count = 0; count < 10; count++) await other.tell(15_000);
    await other.mill.close();
    await first.clock.advance(90_000);
    await first.tell(10);

    const stored = await first.mill.store.listEvents({ after: 0, limit: 1_000 });
    const { events: kept } = await readEventArchive({ folder });
    const seqsOf = (all: readonly { readonly seq: number }[]) => all.map(({ seq }) => seq);
    assert.deepEqual(seqsOf(kept), seqsOf(stored));
    assert.ok(readdirSync(folder).length >= 3);
  });

  test("what a process that was frozen within a write adds late is read once, and nothing is lost", async () => {
    const { folder, views } = await runTwice((place) => {
      const [name = ""] = readdirSync(place).filter((each) => each.endsWith(".jsonl"));
      const path = join(place, name);
      appendFileSync(path, readFileSync(path));
    });
    const { events, skipped } = await readEventArchive({ folder });
    assert.deepEqual([events, skipped], [views, 0]);
  });

  test("a process that serves writes what others store, without a run of its own", async () => {
    const crawl = makeCrawl();
    const world = makeDurableWorld();
    const folder = join(world.folder, "events");
    const clock = makeVirtualClock();
    const serving = await world.open([], { clock, events: { archive: { folder } } });
    await startArchive(serving);
    const other = await world.open([crawl]);
    await (await other.start(crawl, undefined)).result();
    const stored = await other.store.listEvents({ after: 0, limit: 1_000 });
    await clock.advance(1_000);
    await contextOf(serving).events.archive?.then((archive) => archive.settle());
    assert.deepEqual(readDays(folder), stored.map(toEventView));
  });

  test("R225: events of a run are listed with a limit; damaged lines are skipped and counted", async () => {
    const { folder, run, views } = await runTwice((place) => {
      const runs = join(place, "runs");
      const [name = ""] = readdirSync(runs);
      appendFileSync(join(runs, name), 'garbage\n{"seq":1}\n');
      appendFileSync(join(runs, name), Buffer.from([0xff, 0xfe, 0x0a]));
      appendFileSync(join(runs, name), '{"seq":99,"torn');
    });
    const own = views.filter((view) => view.run === run.id);
    const all = await readEventArchive({ folder, run: run.id });
    assert.deepEqual(all.events, own);
    assert.equal(all.skipped, 4);

    const page = await readEventArchive({ folder, run: run.id, limit: 3 });
    assert.deepEqual(page.events, own.slice(0, 3));
    const rest = await readEventArchive({ folder, run: run.id, after: page.events[2]?.seq ?? 0 });
    assert.deepEqual(rest.events, own.slice(3));
    assert.deepEqual((await readEventArchive({ folder })).events, views);
    rmSync(join(folder, "runs"), { recursive: true });
    const found = await readEventArchive({ folder, run: run.id });
    assert.deepEqual([found.events, found.skipped], [own, 0]);
    assert.deepEqual(
      await readEventArchive({ folder: join(folder, "none") }).then(({ events }) => events),
      [],
    );
  });

  test("R228: what is no id of a run is refused before a file is looked for", async () => {
    for (const run of ["../x", "..", "7f3k", "", "a/../../b", "%2e%2e/x"])
      await expect(readEventArchive({ folder: "/", run })).rejects.toMatchObject({
        code: "OPTION_INVALID",
      });
  });

  test("R224: full files are followed by others, and old ones lie in the archive", async () => {
    const crawl = makeCrawl();
    const world = makeDurableWorld();
    const folder = join(world.folder, "events");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "2020-01-01.jsonl"), "");
    chmodSync(join(folder, "2020-01-01.jsonl"), 0o600);
    const mill = await world.open([crawl], {
      events: { archive: { folder, rotateBytes: 65_536, keep: "1ms" } },
    });
    for (let count = 0; count < 4; count++) {
      for (let report = 0; report < 3; report++)
        await mill.recordEvent({ name: "x.read", source: "s", data: { pad: "x".repeat(15_000) } });
      await (await mill.start(crawl, undefined)).result();
    }
    const stored = await mill.store.listEvents({ after: 0, limit: 1_000 });
    await mill.close();
    assert.ok(existsSync(join(folder, "archive", "2020-01-01.jsonl")));
    const page = await readEventArchive({ folder, limit: 1_000 });
    assert.deepEqual(page.events, stored.map(toEventView));
    assert.ok(readdirSync(folder).filter((name) => name.endsWith(".jsonl")).length >= 3);
  });
});
