// The command and the server in processes whose prototypes are frozen and whose `__proto__` throws: nothing of ours, and
// nothing that we bring along, writes there, so that no input could make it. The same processes are given input that
// tries.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, type Ended, type Project } from "../support/command.ts";
import { LiveClient } from "../support/live/live-client.ts";

const FREEZE = `
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
for (const each of [Object, Array]) Object.freeze(each.prototype);
appendFileSync(new URL("frozen.txt", import.meta.url), isMainThread ? "main\\n" : "thread\\n");
`;

const CONFIG = `
import { defineConfig, definePipeline, input, map, pipeline, stage } from "millrace";
const source = input();
const list = stage("list", { needs: { source } }, ({ source }) => source.rows);
const rate = map("rate", { over: list, key: (row) => row.key, retry: 2, onItemFailure: "continue", tolerate: 1 },
  async (row, _needs, ctx) => {
    ctx.log.info("row " + row.key);
    if (row.key === "bad") throw new TypeError("no good");
    if (row.key === "slow" && ctx.attempt < 2) throw new Error("ECONNRESET");
    return { ...row, polluted: row.polluted === true || {}.polluted === true };
  });
const sum = stage("sum", { needs: { rate } }, ({ rate }) => rate.length);
export default defineConfig({
  pipelines: [pipeline("rows", { input: source, output: { sum } })],
  schedules: { nightly: { pipeline: "rows", dailyAt: "02:30", input: { rows: [] } } },
  resources: { api: { limit: 2, quota: { rate: 10, per: "1s" } } },
});
`;

const ROWS = { rows: [{ key: "a" }, { key: "bad" }, { key: "slow" }, { key: "__proto__" }] };
/** Text, as no object of ours would say it. */
const REACHING =
  '{"rows":[{"key":"p","__proto__":{"polluted":true}},{"key":"c","constructor":{"prototype":{"polluted":true}}}]}';

function setup(): Project {
  const project = makeProject({ NODE_OPTIONS: "--disable-proto=throw --import ./freeze.mjs" });
  writeFileSync(join(project.folder, "freeze.mjs"), FREEZE);
  writeFileSync(join(project.folder, "millrace.config.ts"), CONFIG);
  writeFileSync(join(project.folder, "rows.json"), JSON.stringify(ROWS));
  writeFileSync(join(project.folder, "reaching.json"), REACHING);
  writeFileSync(join(project.folder, "runs.jsonl"), `${JSON.stringify(ROWS)}\n${REACHING}\n`);
  return project;
}

/** Runs verbs one after the other; each must end well and say nothing of a prototype. */
async function runAll(
  project: Project,
  verbs: readonly (readonly string[])[],
): Promise<readonly Ended[]> {
  const ended: Ended[] = [];
  for (const verb of verbs) {
    const { exitCode, stdout, stderr, signal } = await project.run(...verb);
    expect([verb, exitCode, stderr]).toEqual([
      verb,
      0,
      expect.not.stringMatching(/read.?only property|extensible|INTERNAL/i),
    ]);
    ended.push({ exitCode, stdout, stderr, signal });
  }
  return ended;
}

test("S20: the command works with frozen prototypes, over inputs that reach for them, too", async () => {
  const project = setup();
  const ended = await runAll(project, [
    ["config", "validate"],
    ["config", "print", "--json"],
    ["plan", "rows", "--input", "@rows.json"],
    ["run", "rows", "--input", "@rows.json", "--json"],
    ["run", "rows", "--input", "@reaching.json"],
    ["runs", "--json"],
    ["show", "last"],
    ["items", "last/rate"],
    ["why", "last"],
    ["logs", "last"],
    ["events", "--json"],
    ["report", "last", "-o", "run.html"],
    ["export", "trace", "last", "-o", "trace.json"],
    ["queue", "import", "runs.jsonl", "rows"],
    ["queue", "run", "--drain"],
    ["schedule", "next", "nightly"],
    ["resources"],
    ["health"],
    ["store", "backup", "copy.db"],
    ["doctor"],
  ]);
  expect(ended.some(({ stdout }) => stdout.includes('"polluted": true'))).toBe(false);
  const frozen = readFileSync(join(project.folder, "frozen.txt"), "utf8");
  expect(frozen.split("main").length).toBeGreaterThanOrEqual(ended.length);
});

test("S20: so does the server, with its worker, its schedules and its sockets", async () => {
  const project = setup();
  const serving = project.start("serve", "--port", "0");
  await serving.says("http://127.0.0.1:");
  const [, url = ""] = /(http:\/\/127\.0\.0\.1:\d+)/.exec(serving.stderr()) ?? [];
  const token = project.read(".millrace/token").trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const ask = async (path: string, body?: string): Promise<readonly [number, string]> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      headers,
      ...(body === undefined ? {} : { method: "POST", body }),
    });
    return [response.status, await response.text()];
  };
  expect((await ask("/pipelines/rows/runs", JSON.stringify({ input: ROWS })))[0]).toBe(201);
  for (const body of [
    `{"input":${REACHING}}`,
    '{"__proto__":{}}',
    '{"input":1,"constructor":{"prototype":{}}}',
  ])
    expect((await ask("/pipelines/rows/runs", body))[0]).toBe(400);
  for (const query of ["__proto__=1", "__proto__[polluted]=1", "constructor=1"])
    expect((await ask(`/runs?${query}`))[0]).toBe(400);
  await expect
    .poll(async () => (await ask("/runs/last"))[1], { timeout: 30_000 })
    .toContain('"state":"succeeded"');
  const paths = [
    "/runs",
    "/runs/last",
    "/runs/last/why",
    "/runs/last/report",
    "/runs/last/stages/rate/items",
    "/runs/last/events",
    "/runs/last/logs",
    "/queue",
    "/stats",
    "/resources",
    "/schedules",
    "/health",
    "/status",
    "/snapshot",
    "/workers",
    "/failures",
    "/operations",
    "/tokens",
    "/openapi.json",
  ];
  for (const path of paths) expect([path, (await ask(path))[0]]).toEqual([path, 200]);
  expect((await ask("/tokens", '{"name":"ci","role":"read"}'))[0]).toBe(201);
  const made = await ask("/operations", '{"action":"requeue","filter":{},"preview":true}');
  expect(made[0]).toBe(200);
  const client = new LiveClient(`${url.replace("http", "ws")}/ws/events`, { headers });
  await client.opened;
  client.ws.send('{"type":"subscribe","topic":"runs","__proto__":{"polluted":true}}');
  client.send({ type: "subscribe", topic: "runs" });
  await client.until(({ type }) => type === "snapshot", "the snapshot of the runs");
  serving.child.kill("SIGTERM");
  const { exitCode, stderr } = await serving.ended;
  expect([exitCode, stderr]).toEqual([
    0,
    expect.not.stringMatching(/read.?only property|extensible|INTERNAL/i),
  ]);
});
