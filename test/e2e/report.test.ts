// `run --report FILE`: what a run did and where its time went, in a file; and the flags that help must list.

import { afterAll, expect, test } from "vitest";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { documentOf, startHost } from "../support/host.ts";

const PIPELINE = `
import { definePipeline } from "millrace";
const evil = "<script>alert(1)</script> | \\u001b[2J";
const run = (item) => {
  if (item === 3) throw new Error(evil);
  return item;
};
const retry = { attempts: 2, initialDelay: 20, jitter: "none" };
export const told = definePipeline({
  name: "told",
  failFast: false,
  stages: [
    { id: "list", run: () => [1, 2, 3] },
    { id: "each", needs: ["list"], over: "list", onItemFailure: "continue", tolerate: 0, retry, run },
    { id: "after", needs: ["each"], run: () => 1 },
  ],
});
`;

const host = startHost({ "told.ts": PIPELINE });

afterAll(() => host.close());

function read(file: string): string {
  return readFileSync(join(host.folder, file), "utf8");
}

test("R277: run --report writes stages, times of items, waits and failures as JSON, and says where", async () => {
  const { exitCode, stderr } = await host.call(["run", "told.ts", "--report", "told.json"]);

  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^ {2}Results +told\.json$/m);
  expect(JSON.parse(read("told.json"))).toMatchObject({
    schema: "millrace.report/1",
    run: { pipeline: "told", state: "failed", items: { total: 3, succeeded: 2, failed: 1 } },
    stages: [
      { stage: "list", state: "succeeded" },
      { stage: "each", state: "failed", items: { failed: 1 } },
      { stage: "after", state: "upstream_failed" },
    ],
    percentiles: [
      {
        stage: "each",
        count: 2,
        p50Ms: expect.any(Number),
        p95Ms: expect.any(Number),
        p99Ms: expect.any(Number),
        maxMs: expect.any(Number),
      },
    ],
    waitedMs: { retry: expect.any(Number) },
    failures: [{ stage: "each", item: expect.any(String), count: 1, attempts: 2 }],
  });
});

test("R277: an HTML report is one file that asks for nothing, and text of user code stays text", async () => {
  await host.call(["run", "told.ts", "--report", "told.html"]);
  const html = read("told.html");

  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toContain("default-src 'none'");
  expect(html).not.toMatch(/<script|https?:|src=|href=|url\(/);
  expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(html).toMatch(/<h2>Stages<\/h2>[^]*<h2>Items, how long they took<\/h2>/);
  expect(html).toMatch(/<h2>Waits, over all stages and items<\/h2>[^]*<h2>Failures, by kind<\/h2>/);
  expect(html.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

test("R277: a Markdown report has the same tables", async () => {
  await host.call(["run", "told.ts", "--report", "told.md"]);
  const text = read("told.md");

  expect(text).toMatch(/^# told \w+: failed\n\n- Started: /);
  expect(text).toMatch(/^## Stages$/m);
  expect(text).toContain(String.raw`\<script\>alert(1)\</script\> \|`);
  const widths = text
    .split("\n")
    .filter((line) => line.startsWith("| each"))
    .map((line) => line.replaceAll(String.raw`\|`, "").split("|").length);
  expect(new Set(widths)).toEqual(new Set([10, 8]));
});

test("a report that cannot be written is refused before anything starts", async () => {
  const before = documentOf(await host.call(["runs", "--limit", "500", "--json"]));
  const wrong = await host.call(["run", "told.ts", "--report", "told.pdf"]);
  const nowhere = await host.call(["run", "told.ts", "--report", "no/such/told.md"]);
  const batch = await host.call(["run", "told.ts", "--items", "x.jsonl", "--report", "told.md"]);

  expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
  expect(wrong.stderr).toContain(
    '--report: expected a file that ends in .html, .md, .json; got "told.pdf"',
  );
  expect(nowhere.stderr).toContain('The report "no/such/told.md" cannot be written');
  expect(batch.stderr).toContain("--report: cannot be given together with --items");
  expect(documentOf(await host.call(["runs", "--limit", "500", "--json"]))).toEqual(before);
  expect(existsSync(join(host.folder, "told.pdf"))).toBe(false);
});

test.each([
  ["run", ["--config", "--log-file", "--store", "--from", "--dry-run", "--report", "--force"]],
  ["plan", ["--config", "--store", "--from", "--report", "--force", "--detailed-exitcode"]],
  ["resume", ["--config", "--log-file", "--store", "--from", "--dry-run"]],
  ["rerun", ["--config", "--log-file", "--store", "--from", "--only-failed", "--dry-run"]],
  ["gc", ["--dry-run", "--yes"]],
  ["queue retry-failed", ["--dry-run", "--yes"]],
  ["queue requeue", ["--yes"]],
  ["queue purge", ["--dry-run", "--yes"]],
])("R277: the help of %s lists its flags", async (verb, flags) => {
  const { exitCode, stdout } = await host.call([...verb.split(" "), "--help"]);

  expect(exitCode).toBe(0);
  const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
  expect(listed).toEqual(expect.arrayContaining(flags));
});
