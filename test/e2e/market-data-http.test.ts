// Example B, seen by a stranger: `millrace serve` in a process of its own, and nothing but its API and its socket. A run
// is started, followed to its end with an analyzer that hangs once, and asked about; then the schedule makes another.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import { writeBars } from "../../examples/02-market-data/bars/write-bars.ts";
import {
  CONFIG,
  listAlive,
  makePlace,
  type Place,
  type Started,
} from "../../examples/02-market-data/support/run-example.ts";
import { waitFor } from "../support/command.ts";

const HUNG = "MSFT/2003-09-16";
const DAMAGED = "ES/2020-03-16";

const EVENT = z.object({
  runSeq: z.number(),
  type: z.string(),
  stage: z.string().optional(),
  item: z.string().optional(),
  data: z.record(z.string(), z.unknown()).default({}),
});

/** What came over the socket that is of interest here. */
const FRAME = z.object({ type: z.string(), events: z.array(EVENT).default([]) });

const STARTED = z.object({ created: z.boolean(), run: z.object({ name: z.string() }) });

let place: Place;
let served: Started;
let url = "";
let token = "";
beforeAll(async () => {
  place = makePlace({ MARKET_DATA_ANALYZE_TIMEOUT: "8s" });
  await writeBars(place.bars, (name) => /^(?:MSFT.*-1[567]|ES.*2020-03-16)/.test(name));
  const words = ["serve", "--port", "0", "--no-schedules", "--config", CONFIG];
  served = place.start("src/cli/main.ts", ...words);
  let said = "";
  served.child.stderr?.on("data", (text: Buffer) => (said += text.toString()));
  await waitFor(
    () => `a sign-in on stderr, which says:\n${said}`,
    () => said.includes("sign in"),
  );
  [, url = ""] = /(http:\/\/127\.0\.0\.1:\d+)\/ /.exec(said) ?? [];
  token = readFileSync(join(place.folder, "token"), "utf8").trim();
});
afterAll(async () => {
  served.child.kill("SIGKILL");
  await served.ended;
  place.remove();
});

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

async function ask(method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

/** A socket that gathers the events of a run. */
interface Follower {
  readonly events: readonly z.infer<typeof EVENT>[];
  /** Resolves when such an event has come. */
  sees(type: string): Promise<void>;
  close(): void;
}

function follow(run: string): Follower {
  const events: z.infer<typeof EVENT>[] = [];
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws/events/${run}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  let fault = "";
  socket.on("error", (error) => (fault = error.message));
  socket.on("message", (data: Buffer) => {
    events.push(...FRAME.parse(JSON.parse(data.toString())).events);
  });
  return {
    events,
    sees: (type) =>
      waitFor(
        () =>
          `${type} over the socket (${fault}), after ${events.map((one) => one.type).join(" ")}`,
        () => events.some((one) => one.type === type),
        () => fault !== "",
      ),
    close: () => socket.terminate(),
  };
}

async function start(body: object): Promise<string> {
  const { status, json } = await ask("POST", "/pipelines/market-data/runs", body);
  expect(status).toBe(201);
  return STARTED.parse(json).run.name;
}

// One story, told in order.
test("R35 R302: started over HTTP and followed over the socket: a hung analyzer is gone with its group, one damaged day is one warning", async () => {
  const faults = join(place.folder, "faults.json");
  writeFileSync(faults, JSON.stringify([{ stage: "analyze", item: HUNG, do: "hang" }]));
  const run = await start({ input: { faults } });
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
  expect(of("item.waiting", HUNG)).toMatchObject([{ class: "timeout" }]);
  expect(of("item.failed", DAMAGED)).toMatchObject([{ class: "permanent", attempts: 1 }]);
  const groups = of("stage.emitted", HUNG).map(({ data }) =>
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
    { items: [{ key: DAMAGED, error: { class: "permanent" } }] },
  );
  const why = await ask(
    "GET",
    `/runs/${run}/why?stage=translate&item=${encodeURIComponent(DAMAGED)}`,
  );
  expect(JSON.stringify(why.json)).toContain("row 500");
  expect((await ask("GET", "/health")).json).toMatchObject({
    healthy: true,
    pipelines: [{ pipeline: "market-data", verdict: "healthy" }],
  });
});

test("R302: its schedule stands in the API, at the quarter hours of Chicago, and what it makes changes no byte", async () => {
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
