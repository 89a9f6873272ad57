// `report`: of a run, of two, of a period; in every form; with targets that are met and missed.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const PIPELINE = `
import { definePipeline } from "millrace";
const evil = "=1+1 <script>alert(1)</script>";
export const told = definePipeline({
  name: "told",
  stages: [
    { id: "list", run: (input) => input?.items ?? [1, 2] },
    {
      id: "each",
      needs: ["list"],
      over: "list",
      key: String,
      onItemFailure: "continue",
      tolerate: 0,
      retry: { attempts: 2, initialDelay: 5, jitter: "none" },
      run: (item) => {
        if (item > 2) throw new Error(evil);
        return item;
      },
    },
  ],
});
`;
const CONFIG = `
import { defineConfig } from "millrace";
import { told } from "./told.ts";
export default defineConfig({ pipelines: [told] });
`;

const host = startHost({ "told.ts": PIPELINE, "millrace.config.ts": CONFIG });
afterAll(() => host.close());
beforeAll(async () => {
  await host.call(["run", "told"]);
  await host.call([
    "run",
    "told",
    "--input",
    '{"items":[1,2,3]}',
    "--key",
    "=1+1",
    "--tag",
    "x=+1",
  ]);
});

test("R251: a report of a run is Markdown on stdout, and JSON, HTML and CSV by format or ending", async () => {
  const text = await host.call(["report", "1"]);
  const json = await host.call(["report", "1", "--json"]);
  const html = await host.call(["report", "2", "-o", "two.html"]);
  const csv = await host.call(["report", "2", "--format", "csv"]);
  const page = readFileSync(join(host.folder, "two.html"), "utf8");

  expect(text.exitCode).toBe(0);
  expect(text.stdout).toMatch(/^# told 1: succeeded\n\n- Started: .*[^]*## Stages\n/);
  expect(documentOf(json)).toMatchObject({
    schema: "millrace.report/1",
    run: { name: "1", durationMs: expect.any(Number) },
    stages: [{ stage: "list" }, { stage: "each", items: { total: 2 } }],
    percentiles: [{ stage: "each", count: 2 }],
    waitedMs: {},
    failures: [],
    targets: [],
  });
  expect(html).toMatchObject({ exitCode: 0, stdout: "wrote two.html\n" });
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|https?:|src=|href=|url\(/);
  expect(csv.stdout).toMatch(/^run,pipeline,stage,state,.*\r\n2,told,list,succeeded,/);
});

test("R251: a comparison of two runs has stages, waits and failures of both", async () => {
  const text = await host.call(["report", "--compare", "1", "2"]);
  const json = await host.call(["report", "--compare", "1", "2", "--json"]);
  const html = await host.call(["report", "--compare", "1", "2", "--format", "html"]);
  const csv = await host.call(["report", "--compare", "1", "2", "--format", "csv"]);

  expect(text.exitCode).toBe(0);
  expect(text.stdout).toContain("# told 1 and 2\n");
  expect(text.stdout).toContain("- State: succeeded → failed\n");
  expect(text.stdout).toMatch(/\| retry \| 0 \| [^|]+ \|/);
  expect(text.stdout).toContain("## Failures of 2 alone\n");
  expect(documentOf(json)).toMatchObject({
    before: { name: "1", state: "succeeded" },
    after: { name: "2", state: "failed" },
    deltaMs: expect.any(Number),
    stages: [
      { stage: "list", before: { state: "succeeded" }, after: { state: "succeeded" } },
      { stage: "each", before: { state: "succeeded" }, after: { state: "failed" } },
    ],
    waits: [{ cause: "retry", beforeMs: 0 }],
    failures: { gone: [], new: [{ stage: "each", item: "3" }], stayed: [] },
  });
  expect(html.stdout).toMatch(/^<!doctype html>/);
  expect(html.stdout).not.toContain("<script");
  expect(csv.stdout.split("\r\n")[2]).toMatch(/^each,1,succeeded,2,\d+,2,failed,4,\d+,-?\d+$/);
});

test("R293: a period counts executed, succeeded and failed runs, and their rate, which is 0 when nothing ran", async () => {
  const told = documentOf(
    await host.call(["report", "--pipeline", "told", "--since", "1h", "--json"]),
  );
  const none = documentOf(
    await host.call(["report", "--pipeline", "told", "--since", "2999-01-01T00:00:00Z", "--json"]),
  );
  const text = await host.call(["report", "--since", "1h"]);

  expect(told).toMatchObject({
    period: {
      pipeline: "told",
      executed: 2,
      succeeded: 1,
      failed: 1,
      successRate: 0.5,
      durations: { count: 2, p50Ms: expect.any(Number), p95Ms: expect.any(Number) },
      isCut: false,
    },
    stages: [
      { stage: "each", count: 2, failed: 1 },
      { stage: "list", count: 2, failed: 0 },
    ],
    failures: [{ stage: "each", item: "3", count: 1 }],
    otherFailures: 0,
    runs: [{ name: "2" }, { name: "1" }],
  });
  expect(none).toMatchObject({
    period: { executed: 0, succeeded: 0, failed: 0, successRate: 0 },
    runs: [],
  });
  expect(text.stdout).toContain("- Success rate: 50%\n");
});

test("R242 R296: the history of a period is CSV with one line a run, and no formula in it", async () => {
  const { stdout } = await host.call(["report", "--since", "1h", "--format", "csv"]);
  const [head = "", second = "", first = "", end] = stdout.split(/\r\n(?=\d|run,|$)/);

  expect(head.split(",").slice(0, 5)).toEqual(["run", "id", "pipeline", "state", "reason"]);
  expect(second).toMatch(/^2,[-\da-f]{36},told,failed,/);
  expect(second).toContain(",'=1+1,x=+1,");
  expect(first).toMatch(/^1,[-\da-f]{36},told,succeeded,/);
  expect(end).toBe("");
  const item = await host.call(["report", "2", "--format", "csv"]);
  expect(item.stdout).not.toMatch(/(^|[,"])[=+@]/m);
});

test("R254: a target that is missed gives exit 1 and is named with what was wanted, met ones give 0", async () => {
  const strict = ["--target", "success-rate=0.98", "--target", "p95=0ms"];
  const missed = await host.call(["report", "2", ...strict, "--json"]);
  const met = await host.call([
    "report",
    "1",
    "--target",
    "success-rate=100%",
    "--target",
    "duration=1h",
  ]);
  const period = await host.call(["report", "--since", "1h", "--target", "failed=0"]);

  expect(missed.exitCode).toBe(1);
  expect(missed.stderr).toMatch(/^missed: success-rate is 66.66%, at least 98% was wanted$/m);
  expect(documentOf(missed)).toMatchObject({
    targets: [
      { name: "success-rate", want: 0.98, met: false },
      { name: "p95", want: 0 },
    ],
  });
  expect(met).toMatchObject({ exitCode: 0 });
  expect(met.stdout).toContain("| success-rate | at least 100% | 100% | yes |");
  expect(period.exitCode).toBe(1);
  expect(period.stderr).toContain("missed: failed is 1, at most 0 was wanted");
});

test.each([
  [["report"], 2, "USAGE_INVALID"],
  [["report", "1", "2"], 2, "USAGE_INVALID"],
  [["report", "--compare", "1"], 2, "USAGE_INVALID"],
  [["report", "--pipeline", "told"], 2, "USAGE_INVALID"],
  [["report", "1", "--format", "pdf"], 2, "USAGE_INVALID"],
  [["report", "1", "--json", "--format", "csv"], 2, "USAGE_INVALID"],
  [["report", "1", "--target", "speed=1"], 2, "TARGET_INVALID"],
  [["report", "zzz"], 2, "RUN_NOT_FOUND"],
  [["report", "--pipeline", "tolt", "--since", "1h"], 2, "PIPELINE_UNKNOWN"],
  [["report", "1", "-o", "nowhere/x.md"], 6, "FILE_UNWRITABLE"],
])("%j ends with %d (%s)", async (words, exitCode, code) => {
  const ended = await host.call(words);

  expect(ended.exitCode).toBe(exitCode);
  expect(`${ended.stderr}${ended.stdout}`).toContain(code);
});
