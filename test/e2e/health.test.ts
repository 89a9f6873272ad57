// `health`, `health ack`, `--override` and the probes of `doctor`, as the command prints them and ends.

import { afterAll, beforeEach, expect, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const PIPELINES = `
import { definePipeline } from "millrace";
const run = (input) => {
  if (input?.fail === "ground") throw Object.assign(new Error("x"), { millraceClass: "data-loss" });
  if (input?.fail !== undefined) throw new Error(input.fail);
};
export const crawl = definePipeline({
  name: "crawl",
  gate: "health",
  stages: [
    { id: "score", run, health: () => true },
    { id: "save", run: () => 1, health: () => { throw new Error("no database"); } },
    { id: "send", run: () => 1, health: () => new Promise(() => undefined) },
  ],
});
export const prices = definePipeline({ name: "prices", gate: "health", stages: [{ id: "all", run }] });
`;
const CONFIG = `
import { defineConfig } from "millrace";
import { PIPES } from "./pipes.ts";
export default defineConfig({ pipelines: [PIPES], health: { probeTimeout: "50ms" } });
`;

const host = startHost();
afterAll(() => host.close());

let folder = "";
let call: (...words: readonly string[]) => ReturnType<typeof host.call>;

function setUp(pipes: string): void {
  folder = host.makeFolder({
    "pipes.ts": PIPELINES,
    "millrace.config.ts": CONFIG.replaceAll("PIPES", pipes),
  });
  call = (...words) => host.call(words, { folder });
}

beforeEach(() => setUp("prices"));

async function fail(...inputs: readonly string[]): Promise<void> {
  for (const input of inputs)
    await call("run", "prices", "--override", "--input", JSON.stringify({ fail: input }));
}

test("R244 R245: health of a project without runs is good, and so is that of a pipeline that works", async () => {
  const empty = await call("health");
  await call("run", "prices");
  const good = await call("health");

  expect(empty).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("") });
  expect(good).toMatchObject({
    exitCode: 0,
    stdout: "PIPELINE  HEALTH   WHY  NEXT\nprices    healthy\n",
  });
});

test("R248 R249: a degraded pipeline needs --override by hand: exit 4, then 0", async () => {
  await fail("bad", "bad");
  const health = await call("health");
  const plan = await call("plan", "prices");
  const plansAgain = [await call("rerun", "last", "-n"), await call("resume", "last", "-n")];
  const refused = await call("run", "prices");
  const queued = await call("queue", "enqueue", "prices");
  const again = [await call("rerun", "last"), await call("queue", "requeue", "last")];
  const requeued = await call("queue", "requeue", "last", "--override");
  const rerun = await call("rerun", "2", "--override");
  const started = await call("run", "prices", "--override");

  expect(health.exitCode).toBe(1);
  expect(health.stdout).toBe(
    [
      "PIPELINE  HEALTH    WHY                                   NEXT",
      "prices    degraded  all failed in the last 2 runs (2, 1)  manual runs need --override",
      "",
    ].join("\n"),
  );
  expect(plan.stdout).toContain(
    'refused now: pipeline "prices" is degraded: all failed in the last 2 runs\n',
  );
  expect(plansAgain.map(({ stdout }) => /^refused now: (\w+)/m.exec(stdout)?.[1])).toEqual([
    "pipeline",
    "no",
  ]);
  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toContain("HEALTH_REFUSED");
  expect(refused.stderr).toContain("with --override");
  expect(queued.exitCode).toBe(4);
  expect(again.map(({ exitCode }) => exitCode)).toEqual([4, 4]);
  expect([requeued.exitCode, rerun.exitCode]).toEqual([0, 1]);
  expect(started.exitCode).toBe(0);
  expect(documentOf(await call("runs", "--json"))).toMatchObject({
    runs: [
      { state: "succeeded", settings: { override: "unstable" } },
      { state: "failed", settings: { override: "degraded" } },
      { state: "queued", settings: { override: "degraded" } },
      { state: "failed" },
      { state: "failed" },
    ],
  });
});

test("R248: a blocked pipeline is refused until it is acknowledged: exit 4, then 0", async () => {
  await fail("ground");
  const health = await call("health", "prices");
  const refused = await call("run", "prices", "--override");
  const silent = await call("health", "ack", "prices");
  const acknowledged = await call("health", "ack", "prices", "--reason", "restored the file");
  const again = await call("health", "ack", "prices", "--reason", "restored the file", "--json");
  const after = await call("health", "prices");
  const started = await call("run", "prices");

  expect(health.exitCode).toBe(1);
  expect(health.stdout).toContain(
    "prices    blocked  stored data was damaged during 1 (data-loss)  npx millrace health ack prices --reason '…'\n",
  );
  expect(refused.exitCode).toBe(4);
  expect(silent).toMatchObject({ exitCode: 2 });
  expect(acknowledged).toMatchObject({
    exitCode: 0,
    stdout: "acknowledged; prices is healthy\n",
  });
  expect(documentOf(again)).toMatchObject({ changed: false, health: { verdict: "healthy" } });
  expect(after.exitCode).toBe(0);
  expect(after.stdout).toContain("healthy  acknowledged by ");
  expect(after.stdout).toContain(": restored the file");
  expect(started.exitCode).toBe(0);
});

test("R246: words in a message block nothing", async () => {
  await fail("clock skew");

  expect(await call("health")).toMatchObject({ exitCode: 0 });
  expect(await call("run", "prices")).toMatchObject({ exitCode: 0 });
});

test("R292: health and doctor ask every stage, and one that throws or hangs hides none of the others", async () => {
  setUp("crawl");
  const health = await call("health", "--json");
  const doctor = await call("doctor", "--json");
  const text = await call("health");

  expect(health.exitCode).toBe(1);
  expect(documentOf(health)).toMatchObject({
    schema: "millrace.health/1",
    healthy: false,
    store: { status: "ok" },
    stages: [
      { pipeline: "crawl", stage: "score", status: "ok" },
      { pipeline: "crawl", stage: "save", status: "fail", message: "no database" },
      { stage: "send", status: "fail", message: "it did not answer within 50ms" },
    ],
  });
  expect(doctor.exitCode).toBe(1);
  expect(documentOf(doctor)).toMatchObject({
    checks: expect.arrayContaining([
      expect.objectContaining({ name: "stage crawl/score", status: "ok" }),
      { name: "stage crawl/save", status: "fail", value: "no database" },
      { name: "stage crawl/send", status: "fail", value: "it did not answer within 50ms" },
    ]),
  });
  expect(text.stdout).toContain("stage crawl/save: no database\n");
  expect(text.stdout).toContain("good: 1 of 3 stages\n");
});

test("a pipeline that nobody knows is told with the nearest: exit 2", async () => {
  await call("run", "prices");

  for (const words of [
    ["health", "price"],
    ["health", "ack", "price", "--reason", "x"],
  ]) {
    const unknown = await call(...words);
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain('did you mean "prices"?');
  }
});
