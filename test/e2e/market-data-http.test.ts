// Example B, seen by a stranger: `millrace serve` in a process of its own, and nothing but its API and its socket. A run
// is started, followed to its end with an analyzer that hangs once, and asked about; then the schedule makes another.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { listAlive } from "../../examples/02-market-data/support/run-example.ts";
import {
  DAMAGED_DAY,
  HUNG_DAY,
  serveMarketData,
  type ServedExample,
} from "../support/live/served-example.ts";

let example: ServedExample;
beforeAll(async () => {
  example = await serveMarketData({ MARKET_DATA_ANALYZE_TIMEOUT: "8s" }, "--no-schedules");
});
afterAll(() => example.close());

// One story, told in order.
test("R35 R302: started over HTTP and followed over the socket: a hung analyzer is gone with its group, one damaged day is one warning", async () => {
  const { ask, start, follow, orderHang } = example;
  const run = await start({ input: orderHang() });
  const follower = follow(run);
  try {
    await follower.sees("item.started");
    // Only one at a time: the next one waits in the queue, and says for whom.
    const second = await start({});
    expect((await ask("GET", `/runs/${second}/why`)).json).toMatchObject({
      blockers: [{ kind: "busy" }],
    });
    expect((await ask("POST", `/runs/${second}/cancel`, { reason: "one will do" })).status).toBe(
      200,
    );
    await follower.sees("run.succeeded");
  } finally {
    follower.close();
  }

  const numbers = follower.events.map(({ runSeq }) => runSeq).filter((number) => number > 0);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  expect(numbers.at(-1)).toBe(numbers.length);
  const of = (type: string, item: string): Record<string, unknown>[] =>
    follower.events.filter((one) => one.type === type && one.item === item).map(({ data }) => data);
  expect(of("item.waiting", HUNG_DAY)).toMatchObject([{ class: "timeout" }]);
  expect(of("item.failed", DAMAGED_DAY)).toMatchObject([{ class: "permanent", attempts: 1 }]);
  const groups = of("stage.emitted", HUNG_DAY).map(({ data }) =>
    z.object({ pid: z.int() }).parse(data),
  );
  expect(groups).toHaveLength(2);
  expect(listAlive(groups.map(({ pid }) => pid))).toEqual([]);

  expect((await ask("GET", `/runs/${run}`)).json).toMatchObject({
    run: { state: "succeeded", warnings: 1, retries: 1, metrics: { written: 3, failed: 1 } },
  });
  expect((await ask("GET", `/runs/${run}/stages/merge`)).json).toMatchObject({
    stage: { output: { value: { days: 4, written: 3, skipped: 0, failed: 1, rows: 21 } } },
  });
  expect((await ask("GET", `/runs/${run}/stages/translate/items?state=failed`)).json).toMatchObject(
    { items: [{ key: DAMAGED_DAY, error: { class: "permanent" } }] },
  );
  const why = await ask(
    "GET",
    `/runs/${run}/why?stage=translate&item=${encodeURIComponent(DAMAGED_DAY)}`,
  );
  expect(JSON.stringify(why.json)).toContain("row 500");
  expect((await ask("GET", "/health")).json).toMatchObject({
    healthy: true,
    pipelines: [{ pipeline: "market-data", verdict: "healthy" }],
  });
});

test("R302: its schedule stands in the API, at the quarter hours of Chicago, and what it makes changes no byte", async () => {
  const { ask, follow, place, served } = example;
  const read = (): string => readFileSync(join(place.out, "summary.json"), "utf8");
  const before = read();
  expect((await ask("GET", "/schedules")).json).toMatchObject({
    schedules: [{ name: "quarter", zone: "America/Chicago", overlap: "skip", enabled: true }],
  });
  const next = z
    .object({ ticks: z.array(z.object({ at: z.string() })) })
    .parse((await ask("GET", "/schedules/quarter/next?count=4")).json);
  const minutes = next.ticks.map(({ at }) => Number(at.slice(14, 16)));
  expect(minutes.toSorted((a, b) => a - b)).toEqual([0, 15, 30, 45]);

  const { json } = await ask("POST", "/schedules/quarter/trigger", {});
  const { name } = z.object({ run: z.object({ name: z.string() }) }).parse(json).run;
  const follower = follow(name);
  await follower.sees("run.succeeded").finally(() => follower.close());
  expect((await ask("GET", `/runs/${name}`)).json).toMatchObject({
    run: { state: "succeeded", metrics: { "cache.hit": 6, written: 3 } },
  });
  expect(read()).toBe(before);
  served.child.kill("SIGTERM");
  expect(await served.ended).toMatchObject({ code: 0, signal: null });
});
