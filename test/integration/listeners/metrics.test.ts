// The figures of a service as a scraper gets them: over the API, with a token, and never more series than are allowed.

import { onTestFinished, describe, expect, test } from "vitest";
import { handler } from "../../../src/http/serve.ts";
import { FIGURE_PIPELINES_MAX } from "../../../src/model/limits.ts";
import { EventCounts } from "../../../src/service/listeners/event-counts.ts";
import { FIGURES } from "../../../src/service/listeners/figure.ts";
import { LabelBound, OTHER_LABEL } from "../../../src/service/listeners/label-bound.ts";
import type { Millrace } from "../../../src/service/millrace.ts";
import { definePipeline, type Pipeline } from "../../../src/service/pipeline.ts";
import type { MillraceEvent } from "../../../src/model/event.ts";
import { makeVirtualClock } from "../../../src/std/virtual-clock.ts";
import { makeDurableWorld, makeGate } from "../../support/durable/durable-world.ts";
import { parseExposition, type Exposition } from "../../support/listeners/exposition.ts";

const TOKEN = "m".repeat(43);

function makeScrape(mill: Millrace): () => Promise<Exposition> {
  const ask = handler(mill, { token: TOKEN });
  return async () => {
    const response = await ask(
      new Request("http://localhost/metrics", { headers: { authorization: `Bearer ${TOKEN}` } }),
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    return parseExposition(await response.text());
  };
}

/** Scrapes until something is so: events are counted a moment after they are stored. */
async function scrapeUntil(
  scrape: () => Promise<Exposition>,
  isSo: (found: Exposition) => boolean,
): Promise<Exposition> {
  for (;;) {
    const found = await scrape();
    if (isSo(found)) return found;
    // A scrape may be done within one turn of the loop, and what is counted comes with another.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function makeEcho(name: string): Pipeline {
  let tries = 0;
  return definePipeline({
    name,
    stages: [
      {
        id: "read",
        retry: { attempts: 3, initialDelay: 1, jitter: "none" },
        run: (input: unknown) => {
          tries += 1;
          if (tries === 1) throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
          if (input === "bad") throw new TypeError("bad");
          return [1, 2];
        },
      },
      { id: "each", over: "read", run: (item: unknown) => item },
    ],
  });
}

describe.each(["memory", "sqlite"] as const)("over a %s store", (kind) => {
  test("R186 R297: a scrape parses, and shows the depth of the queue and what was completed", async () => {
    const echo = makeEcho("echo");
    const mill = await makeDurableWorld(kind).open([echo]);
    const scrape = makeScrape(mill);
    await mill.enqueue(echo, [{ input: 1 }, { input: 2 }, { input: 3 }]);

    const before = await scrape();
    expect(before.value("millrace_queue_depth", { pipeline: "echo" })).toBe(3);
    expect(before.value("millrace_runs", { pipeline: "echo", state: "queued" })).toBe(3);
    expect(before.value("millrace_runs", { pipeline: "echo", state: "succeeded" })).toBe(0);
    await mill.work({ drain: true });

    const ended = { pipeline: "echo", state: "succeeded" };
    const after = await scrapeUntil(
      scrape,
      (found) => found.value("millrace_runs_ended_total", ended) === 3,
    );
    expect(after.value("millrace_queue_depth", { pipeline: "echo" })).toBe(0);
    expect(after.value("millrace_runs", ended)).toBe(3);
    expect(after.value("millrace_runs_per_minute")).toBe(3);
    expect(after.value("millrace_run_duration_seconds_count", { pipeline: "echo" })).toBe(3);
    const each = { pipeline: "echo", stage: "each" };
    expect(after.value("millrace_items_ended_total", { ...each, state: "succeeded" })).toBe(6);
    const read = { pipeline: "echo", stage: "read" };
    expect(after.value("millrace_attempts_total", read)).toBe(4);
    expect(after.value("millrace_retries_total", { ...read, class: "broken" })).toBe(1);
    expect(after.value("millrace_stages_ended_total", { ...read, state: "succeeded" })).toBe(3);
    expect(
      after.value("millrace_waited_seconds_total", { cause: "retry", resource: "" }),
    ).toBeGreaterThan(0);
    expect([...after.types.keys()].toSorted()).toEqual(FIGURES.map(({ name }) => name).toSorted());
  });
});

test("R114: the depth of the queue and the age of what is due are exported, and runs in progress rise to the limit", async () => {
  const gate = makeGate();
  onTestFinished(() => gate.open());
  const started = Array.from({ length: 8 }, makeGate);
  let running = 0;
  const slow = definePipeline({
    name: "slow",
    stages: [
      {
        id: "only",
        run: async () => {
          started[running++]?.open();
          await gate.opened;
        },
      },
    ],
  });
  const clock = makeVirtualClock();
  const mill = await makeDurableWorld("memory").open([slow], { clock });
  const scrape = makeScrape(mill);
  await mill.enqueue(
    slow,
    Array.from({ length: 100 }, () => ({ input: null })),
  );
  await clock.advance(90_000);
  const queued = await scrape();
  expect(queued.value("millrace_queue_depth", { pipeline: "slow" })).toBe(100);
  expect(queued.value("millrace_queue_oldest_due_seconds", { pipeline: "slow" })).toBe(90);

  const stop = new AbortController();
  const work = mill.work({ concurrency: 8, signal: stop.signal });
  await Promise.all(started.map(({ opened }) => opened));
  const full = await scrape();
  expect(full.value("millrace_runs", { pipeline: "slow", state: "running" })).toBe(8);
  expect(full.value("millrace_queue_depth", { pipeline: "slow" })).toBe(92);

  gate.open();
  const idle = await scrapeUntil(
    async () => {
      await clock.advance(20);
      return await scrape();
    },
    (found) => found.value("millrace_runs", { pipeline: "slow", state: "succeeded" }) === 100,
  );
  expect(idle.value("millrace_runs", { pipeline: "slow", state: "running" })).toBe(0);
  expect(idle.value("millrace_queue_oldest_due_seconds", { pipeline: "slow" })).toBe(0);
  stop.abort();
  await work;
});

test("a key of an item, an id of a run and a message are in no label", async () => {
  const mill = await makeDurableWorld("memory").open([]);
  const found = await makeScrape(mill)();
  const names = new Set(FIGURES.flatMap(({ labels }): readonly string[] => labels));
  expect([...names].toSorted()).toEqual([
    "cause",
    "class",
    "pipeline",
    "resource",
    "rule",
    "stage",
    "state",
    "target",
    "version",
  ]);
  expect(found.value("millrace_watchdog_up")).toBe(0);
});

test("S39: of 20,000 pipelines and stages made of data a bounded number have series of their own", async () => {
  const series = new Set<string>();
  const counts = new EventCounts({
    store: { findRun: () => Promise.resolve(undefined), listStageEnds: () => Promise.resolve([]) },
    clock: makeVirtualClock(),
    sink: {
      count: (name, labels) => series.add(JSON.stringify([name, labels])),
      observe: (name, labels) => series.add(JSON.stringify([name, labels])),
    },
  });
  const event = (place: number, told: Partial<MillraceEvent>): MillraceEvent => ({
    seq: place,
    runSeq: 1,
    atMs: 0,
    run: `run-${place}`,
    type: "run.created",
    ...told,
  });
  async function* tell(): AsyncGenerator<{ kind: "event"; event: MillraceEvent }> {
    for (let place = 0; place < 10_000; place++) {
      const data = { pipeline: `pipeline-${place}` };
      yield { kind: "event", event: event(place, { data }) };
      const ended = { type: "stage.succeeded", stage: `stage-${place}`, data: { attempts: 1 } };
      yield { kind: "event", event: event(place, { ...ended, type: "stage.succeeded" }) };
    }
  }
  await counts.listen(tell());

  // Two figures of stages, one of pipelines.
  expect(series.size).toBeLessThanOrEqual(2 * (500 + FIGURE_PIPELINES_MAX + 1) + 101);
  expect(series.size).toBeGreaterThan(FIGURE_PIPELINES_MAX);
});

test("a value that had a label keeps it, further ones share one, and long ones are cut", () => {
  const bound = new LabelBound(2);
  expect(["a", "b", "c", "a"].map((value) => bound.take(value))).toEqual([
    "a",
    "b",
    OTHER_LABEL,
    "a",
  ]);
  expect(new LabelBound(1).take("x".repeat(1_000))).toHaveLength(120);
});

test("who has no token gets no figures", async () => {
  const mill = await makeDurableWorld("memory").open([]);
  const ask = handler(mill, { token: TOKEN });
  const response = await ask(new Request("http://localhost/metrics"));
  expect(response.status).toBe(401);
});
