import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Gathered, Line, RunView } from "../manifest/gather.ts";
import { toBareRecord } from "../manifest/record.ts";
import type { ManifestRecord } from "../manifest/record.ts";
import { writeReport } from "./report.ts";
import { toQuantile } from "./targets.ts";

/** A run of which only the time is looked at. */
function toLine(record: Partial<ManifestRecord>, durationMs: number): Line {
  const run: Partial<RunView> = { durationMs };
  return { run: run as RunView, record: { ...toBareRecord("a", "HTTP 404"), ...record } };
}

async function report(lines: readonly Line[], out: string) {
  const summary = { total: lines.length, succeeded: 0, skipped: 0, failed: 0, open: 0 };
  const numbers = { ...summary, resolvers: {}, skippedBy: {}, files: 0, bytes: 0 };
  const gathered: Gathered = { lines, summary: numbers };
  const { path, targets } = await writeReport(out, gathered);
  return { html: await readFile(path, "utf8"), met: targets.map(({ isMet }) => isMet) };
}

async function makeFolder(): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "content-download-"));
  onTestFinished(() => rm(out, { recursive: true }));
  return out;
}

test("targets are measured: yield without what was skipped, times, and files that have changed", async () => {
  const out = await makeFolder();
  await writeFile(join(out, "a.pdf"), "abc");
  const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const good = { outcome: "succeeded", file: "a.pdf", bytes: 3, sha256 } as const;
  const skipped = toLine({ outcome: "skipped" }, 60_000);
  expect((await report([toLine(good, 100), skipped], out)).met).toEqual([true, true, true, true]);
  const slow = [toLine(good, 3_001), toLine(good, 20_001), toLine({}, 1)];
  expect((await report(slow, out)).met).toEqual([false, false, false, true]);
  await writeFile(join(out, "a.pdf"), "abd");
  expect((await report([toLine(good, 100)], out)).met).toEqual([true, true, true, false]);
});

test("whatever lists and hosts say is text", async () => {
  const id = `<script>alert("1")</script>`;
  const { html } = await report(
    [toLine({ id, address: `http://a.test/"><b>` }, 1)],
    await makeFolder(),
  );
  expect(html).not.toContain("<script");
  expect(html).not.toContain("<b>");
  expect(html).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
});

test("a quantile is the value that so many do not exceed", () => {
  expect(toQuantile([], 0.5)).toBe(0);
  expect(toQuantile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(toQuantile([1, 2, 3, 4], 0.95)).toBe(4);
});
