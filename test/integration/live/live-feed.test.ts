// The live feed without a carrier: who joins late, comes back or falls behind.

import fc from "fast-check";
import { expect, test } from "vitest";
import { map, pipeline, stage } from "../../../src/exports/index.ts";
import { makeFeedWorld, plain } from "../../support/live/feed-world.ts";
import type { EventDraft } from "../../../src/model/event.ts";
import { FEED_LINGER_MS_MAX, FEED_SILENT_MS_MAX } from "../../../src/model/limits.ts";

const WARNED: EventDraft = { type: "watchdog.warned", data: { rule: "x", message: "m" } };

const many = (count: number, draft: EventDraft = WARNED): EventDraft[] =>
  Array.from({ length: count }, () => draft);

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("R289: events begin with the last 100 of 4 hours in chunks of 25, a mark, then live ones", async () => {
  const { tell, clock, connect, settle } = await makeFeedWorld();
  await tell(...many(30));
  await clock.advance(5 * 3_600_000);
  await tell(...many(60));
  const client = connect();
  const opened = client.session.subscribe({ topic: "events" });
  await settle();
  await opened;
  const { frames, seqs } = client.topic("events");
  // The first 30 are too old; of what is left all are told.
  expect(seqs).toEqual(upTo(90, 31));
  const shape = frames.map((frame) => (frame.type === "events" ? frame.events.length : frame.type));
  expect(shape).toEqual(["subscribed", 25, 25, 10, "done"]);
  await tell(...many(60));
  await settle();
  expect(seqs).toEqual(upTo(150, 31));

  const late = connect();
  await late.session.subscribe({ topic: "events" });
  expect(late.topic("events").seqs).toEqual(upTo(150, 51));
  expect(late.topic("events").frames.at(-1)).toMatchObject({ type: "done", seq: 150 });
});

test("R289: what happens while the past is told comes after it, once, in the order of numbers", async () => {
  const { tell, connect, settle, mill } = await makeFeedWorld();
  await tell(...many(90));
  const client = connect();
  const opened = client.session.subscribe({ topic: "events" });
  const told = tell(...many(40));
  await settle();
  await Promise.all([opened, told]);
  await tell(...many(3));
  await settle();
  const { seqs } = client.topic("events");
  expect(seqs).toEqual(upTo(133, seqs[0] ?? 0));
  expect(mill.store.nowMs()).toBeGreaterThan(0);
});

test("R220: a client that comes back with its number gets the rest, without gap or double", async () => {
  const { tell, connect, settle, clock } = await makeFeedWorld();
  const first = connect();
  await first.session.subscribe({ topic: "events", filter: { complete: true } });
  await tell(...many(120));
  await settle();
  first.session.end();
  await tell(...many(1_700));
  // Once while the topic is kept up, once when it was given up long ago.
  for (const pauseMs of [100, FEED_LINGER_MS_MAX * 2]) {
    await clock.advance(pauseMs);
    const again = connect();
    const opened = again.session.subscribe({
      topic: "events",
      after: 120,
      filter: { complete: true },
    });
    await settle();
    await opened;
    expect(again.topic("events").seqs).toEqual(upTo(1_820, 121));
    again.session.end();
  }
});

test("R221: a client that stops reading loses the oldest and is told how many; others lose nothing", async () => {
  const { tell, connect, settle, clock } = await makeFeedWorld();
  const stalled = connect();
  const others = Array.from({ length: 5 }, connect);
  for (const client of [stalled, ...others])
    await client.session.subscribe({ topic: "events", filter: { complete: true } });
  stalled.isStalled = true;
  const wide = { ...WARNED, data: { rule: "x", message: "m".repeat(450) } };
  const atMs: number[] = [];
  for (let round = 0; round < 30; round++) {
    await tell(...many(500, wide));
    const startMs = clock.monotonicMs();
    await clock.advance(120);
    expect(others.map((client) => client.topic("events").seqs.length)).toEqual(
      many(5).map(() => (round + 1) * 500),
    );
    atMs.push(clock.monotonicMs() - startMs);
  }
  // What waits for it is bounded, and it is shared.
  expect(stalled.unsentBytes).toBeLessThan(2 * 1024 * 1024);
  expect(stalled.end).toBeNull();
  stalled.resume();
  await settle();
  const { frames, seqs } = stalled.topic("events");
  const gaps = frames.flatMap((frame) => (frame.type === "gap" ? [frame] : []));
  expect(gaps.length).toBe(1);
  const [gap] = gaps;
  expect(seqs.length + (gap?.missed ?? 0)).toBe(15_000);
  expect(seqs).toEqual([...upTo(gap?.from ?? 0), ...upTo(15_000, (gap?.to ?? 0) + 1)]);
});

test("S14: a client that reads nothing for 30 s is sent away", async () => {
  const { tell, connect, clock, feed } = await makeFeedWorld();
  const stalled = connect();
  const reader = connect();
  stalled.isStalled = true;
  await tell(WARNED);
  await clock.advance(FEED_SILENT_MS_MAX - 3_000);
  expect(stalled.end).toBeNull();
  await clock.advance(6_000);
  expect(stalled.end).toMatchObject({ kind: "slow" });
  expect(reader.end).toBeNull();
  expect(feed.clientCount).toBe(1);
});

test("above 500 a second events are sampled, and the number left out is told", async () => {
  const { tell, connect, clock } = await makeFeedWorld();
  const client = connect();
  await client.session.subscribe({ topic: "events" });
  for (let round = 0; round < 20; round++) {
    await tell(...many(250));
    await clock.advance(100);
  }
  // The allowance of a quiet time, then 500 a second.
  const { frames, seqs } = client.topic("events");
  const leftOut = frames.reduce(
    (sum, frame) => sum + (frame.type === "events" ? (frame.leftOut ?? 0) : 0),
    0,
  );
  expect(seqs.length + leftOut).toBe(5_000);
  expect(seqs.length).toBeLessThan(1_600);
  expect(seqs.length).toBeGreaterThan(1_300);
});

test("R222: one client more than may is refused; leaving cleans up", async () => {
  const { connect, feed, clock, mill } = await makeFeedWorld({ events: { subscribers: 100 } });
  const clients = Array.from({ length: 100 }, connect);
  expect(() => connect()).toThrow(expect.objectContaining({ code: "SUBSCRIBERS_FULL" }));
  await Promise.all(clients.map((client) => client.session.subscribe({ topic: "runs" })));
  expect([feed.clientCount, feed.topicCount]).toEqual([100, 1]);
  for (const client of clients) client.session.end();
  expect(feed.clientCount).toBe(0);
  await clock.advance(FEED_LINGER_MS_MAX);
  expect(feed.topicCount).toBe(0);
  await mill.close();
  // Nothing of it is left to wait for.
  expect(clock.pendingTimers).toBe(0);
});

test("a topic that is left and asked for again at once is told once, and nothing of it stays", async () => {
  const { connect, feed, clock, tell, settle } = await makeFeedWorld();
  const client = connect();
  const first = client.session.subscribe({ topic: "events" });
  client.session.unsubscribe("events");
  const second = client.session.subscribe({ topic: "events" });
  await Promise.all([first, second]);
  expect(client.frames.filter(({ type }) => type === "subscribed")).toHaveLength(1);
  await tell({ type: "token.created", data: { token: "one", role: "read", actor: "ana" } });
  await settle();
  expect(client.topic("events").seqs).toHaveLength(1);
  client.session.end();
  await clock.advance(FEED_LINGER_MS_MAX);
  expect(feed.topicCount).toBe(0);
});

test("R290: clients are sent away with a reason when the mill closes", async () => {
  const { connect, mill, clock } = await makeFeedWorld();
  const client = connect();
  await client.session.subscribe({ topic: "runs" });
  const closed = mill.close({ drainMs: 0 });
  await clock.advance(100);
  await closed;
  expect(client.end).toEqual({ kind: "unavailable", reason: "The engine has stopped." });
  expect(() => connect()).toThrow(expect.objectContaining({ code: "STORE_CLOSED" }));
});

test("what is asked wrongly is told, and the client stays", async () => {
  const { connect } = await makeFeedWorld();
  const client = connect();
  const asked = [
    "run",
    "runz",
    "events:colour=red",
    "events:types=run.vanished",
    "run:ZZZZ",
    "logs:",
  ];
  for (const topic of asked) await client.session.subscribe({ topic });
  const errors = client.frames.flatMap((frame) => (frame.type === "error" ? [frame] : []));
  expect(errors.map(({ code }) => code)).toEqual([
    ...many(4).map(() => "OPTION_INVALID"),
    "RUN_NOT_FOUND",
    "OPTION_INVALID",
  ]);
  expect(errors[1]?.message).toContain('did you mean "runs"?');
  await client.session.subscribe({ topic: "runs" });
  await client.session.subscribe({ topic: "runs" });
  expect(client.frames.at(-1)).toMatchObject({ type: "error", code: "OPTION_INVALID" });
  client.session.unsubscribe("runs");
  await client.session.subscribe({ topic: "runs" });
  expect(client.frames.at(-1)).toMatchObject({ type: "snapshot", topic: "runs" });
});

test("a client that is too slow for states gets counts, and a snapshot when it has caught up", async () => {
  const { gate, crawl } = makeCrawl();
  const { mill, connect, clock } = await makeFeedWorld({ pipelines: [crawl] });
  const run = await mill.start(crawl, undefined);
  const topic = `run:${run.name}`;
  const [slow, quick] = [connect(), connect()];
  for (const client of [slow, quick]) {
    const opened = client.session.subscribe({ topic });
    await clock.advance(10);
    await opened;
  }
  slow.isStalled = true;
  // What else waits for it is more than may.
  slow.send(Buffer.from(JSON.stringify({ type: "pong", text: "x".repeat(1_100_000) })));
  for (let round = 0; round < 6; round++) {
    gate.open(round);
    await clock.advance(1_000);
  }
  expect(slow.unsentBytes).toBeLessThan(1_300_000);
  slow.resume();
  await clock.advance(1_000);
  await run.result();
  await clock.advance(1_000);
  const kinds = slow.topic(topic).frames.map(({ type }) => type);
  expect(kinds.slice(0, 2)).toEqual(["subscribed", "snapshot"]);
  expect(kinds).toContain("summaries");
  expect(kinds.lastIndexOf("snapshot")).toBeGreaterThan(kinds.lastIndexOf("summaries"));
  const counts = slow.topic(topic).frames.find(({ type }) => type === "summaries");
  expect(plain(counts)).toMatchObject({ data: { stages: { score: { items: { total: 6 } } } } });
  expect(quick.topic(topic).frames.some(({ type }) => type === "summaries")).toBe(false);
  // Both know the same in the end.
  expect(slow.topic(topic).entries).toEqual(quick.topic(topic).entries);
  expect(slow.topic(topic).entries.get("run")).toMatchObject({ state: "succeeded" });
});

test("states that change faster than anybody reads are told as the last one of each batch", async () => {
  const { gate, crawl } = makeCrawl();
  const { mill, connect, clock } = await makeFeedWorld({ pipelines: [crawl] });
  const run = await mill.start(crawl, undefined);
  const client = connect();
  const topic = `run:${run.name}`;
  const opened = client.session.subscribe({ topic });
  await clock.advance(10);
  await opened;
  for (let place = 0; place < 6; place++) gate.open(place);
  await clock.advance(49);
  const deltas = client.topic(topic).frames.filter(({ type }) => type === "delta").length;
  await run.result();
  await clock.advance(500);
  expect(deltas).toBeLessThanOrEqual(1);
  const { frames, entries } = client.topic(topic);
  // Six items, each begun and ended, in a few messages.
  expect(frames.filter(({ type }) => type === "delta").length).toBeLessThanOrEqual(4);
  expect(entries.get("stage/score")).toMatchObject({ state: "succeeded" });
});

test("whenever a client joins, leaves and comes back, it has seen every number once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          count: fc.nat(120),
          ms: fc.nat(200),
          act: fc.constantFrom("stay", "leave", "stall", "read"),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      async (moves) => {
        const { tell, connect, clock, mill } = await makeFeedWorld();
        let client = connect();
        const seqs: number[] = [];
        let told = 0;
        const join = async (after: number): Promise<void> => {
          const filter = { complete: true };
          const opened = client.session.subscribe({ topic: "events", after, filter });
          await clock.advance(1);
          await opened;
        };
        await join(0);
        for (const { count, ms, act } of moves) {
          if (count > 0) await tell(...many(count));
          told += count;
          await clock.advance(ms);
          if (act === "stall") client.isStalled = true;
          if (act === "read") client.resume();
          if (act !== "leave") continue;
          seqs.push(...client.topic("events").seqs);
          client.session.end();
          client = connect();
          await join(seqs.at(-1) ?? 0);
        }
        client.resume();
        await clock.advance(300);
        expect([...seqs, ...client.topic("events").seqs]).toEqual(upTo(told));
        await mill.close();
      },
    ),
    { numRuns: 40 },
  );
});

/** Six items that each wait for their sign. */
function makeCrawl() {
  const signs = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const list = stage("list", {}, () => [0, 1, 2, 3, 4, 5]);
  const score = map(
    "score",
    { over: list, key: (place) => `k${place}`, concurrency: 6 },
    async (place) => await signs[place]?.promise,
  );
  const crawl = pipeline("crawl", { output: { score } });
  return { crawl, gate: { open: (place: number) => signs[place]?.resolve() } };
}

test("a cursor from before the topic was kept up gets a snapshot, and one from its life what changed", async () => {
  const { crawl } = makeCrawl();
  const { mill, connect, tell, settle } = await makeFeedWorld({ pipelines: [crawl] });
  await tell(...many(3));
  const first = connect();
  await first.session.subscribe({ topic: "runs", after: 3 });
  expect(first.topic("runs").frames.at(-1)).toMatchObject({ type: "snapshot", seq: 3 });
  await mill.enqueue(crawl, [{ input: undefined }]);
  await settle();
  const { cursor } = first.topic("runs");
  expect(cursor).toBeGreaterThan(3);
  await mill.enqueue(crawl, [{ input: undefined }]);
  await settle();
  const again = connect();
  await again.session.subscribe({ topic: "runs", ...(cursor === null ? {} : { after: cursor }) });
  expect(again.topic("runs").frames.at(-1)).toMatchObject({ type: "delta", from: cursor });
});

test("runs that ended long ago leave the topic of runs, so that it holds a thousand at most", async () => {
  const quick = pipeline("quick", { output: { said: stage("said", {}, () => 1) } });
  const { mill, connect, settle } = await makeFeedWorld({ pipelines: [quick] });
  const client = connect();
  const opened = client.session.subscribe({ topic: "runs" });
  await settle();
  await opened;
  const [first] = (await mill.enqueue(quick, [{ input: undefined }])).runs;
  await settle();
  for (let round = 0; round < 12; round += 1) {
    const inputs = Array.from({ length: 100 }, () => ({ input: undefined }));
    const { runs } = await mill.enqueue(quick, inputs);
    for (const run of runs) await mill.cancel(run.run.id);
    await settle();
  }
  const { entries } = client.topic("runs");
  const late = connect();
  const joined = late.session.subscribe({ topic: "runs" });
  await settle();
  await joined;
  expect(late.topic("runs").entries.size).toBe(1_000);
  expect([...entries.keys()].toSorted()).toEqual([...late.topic("runs").entries.keys()].toSorted());
  // What goes on stays, however long ago it changed.
  expect(entries.has(`run/${first?.run.id}`)).toBe(true);
});
