// The whole list on the real engine, worked in this process; the server's own log is the judge of how.
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMillrace } from "millrace";
import type { Millrace } from "millrace";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { gather, writeManifest } from "./manifest/gather.ts";
import type { Gathered } from "./manifest/gather.ts";
import type { ManifestRecord } from "./manifest/record.ts";
import { contentDownload } from "./pipeline.ts";
import { ARTIFACT } from "./resolve/artifact.ts";
import { listAsked, listWaits } from "./server/judge.ts";
import { startServer } from "./server/server.ts";
import type { DownloadServer } from "./server/server.ts";
import { FORBIDDEN_PATH, PAPER_NAMES, readPaper } from "./server/sites.ts";
import { makeWeb } from "./settings.ts";
import type { Web } from "./settings.ts";

const LIST = join(import.meta.dirname, "list", "downloads.jsonl");

let folder = "";
let out = "";
let server: DownloadServer;
let web: Web;
let mill: Millrace;
async function setUp(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "content-download-"));
  out = join(folder, "out");
  server = await startServer();
  web = makeWeb({
    CONTENT_DOWNLOAD_OUT: out,
    CONTENT_DOWNLOAD_TEST_SERVER: `127.0.0.1:${server.port}`,
  });
  const store = `sqlite:${join(folder, "store.db")}`;
  mill = await openMillrace({ store, pipelines: [contentDownload], provide: { web } });
}

async function tearDown(): Promise<void> {
  await mill.close();
  await web.client.close();
  await server.close();
  await rm(folder, { recursive: true });
}

/** Works until no run is queued, running or waiting. */
async function drain(): Promise<Gathered> {
  for (;;) {
    await mill.work({ drain: true });
    const { queued, running, waiting } = await mill.stats();
    if (queued + running + waiting === 0) return gather(mill, out);
  }
}

async function workTheList(): Promise<Gathered> {
  await mill.import(contentDownload, createReadStream(LIST));
  return drain();
}

function recordOf({ lines }: Gathered, id: string): ManifestRecord | undefined {
  return lines.find(({ record }) => record.id === id)?.record;
}

async function listFiles(): Promise<string[]> {
  const entries = await readdir(join(out, "files"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe("the whole list, worked once", () => {
  let gathered: Gathered;
  beforeAll(async () => {
    await setUp();
    gathered = await workTheList();
  });
  afterAll(tearDown);

  test("R305 R306 R307: the list ends as it must, stored once by content, and the server saw nothing rude", async () => {
    const { summary, lines } = gathered;
    expect(summary).toMatchObject({ total: 27, succeeded: 9, skipped: 3, failed: 15, open: 0 });
    expect(summary.resolvers).toEqual({ archive: 1, direct: 4, landing: 2, metadata: 2 });
    expect(summary.skippedBy).toEqual({ "policy-size": 1, "policy-type": 1, robots: 1 });
    expect(lines.map(({ record }) => [record.id, record.outcome])).toEqual(
      lines.map(({ run, record }) => [record.id, run.state]),
    );

    // What is stored is what was served, and nothing else: no error page, no half document.
    const contents = await Promise.all(
      lines.flatMap(({ record: { file } }) => (file === null ? [] : [readFile(join(out, file))])),
    );
    expect(contents).toHaveLength(9);
    for (const name of PAPER_NAMES) {
      expect(contents.some((content) => content.equals(readPaper(name)))).toBe(true);
    }
    expect(await listFiles()).toHaveLength(8);
    expect(await readdir(join(out, "parts"))).toEqual([]);
    expect(recordOf(gathered, "zoo-copy")?.file).toBe(recordOf(gathered, "zoo")?.file);

    const entries = await server.settled();
    // Nothing to a forbidden path, robots.txt once per host that has one, no later resolver after a success.
    expect(entries.filter(({ path }) => path.startsWith(FORBIDDEN_PATH))).toEqual([]);
    const robots = entries.filter(({ path, status }) => path === "/robots.txt" && status !== 503);
    expect(new Set(robots.map(({ host }) => host)).size).toBe(robots.length);
    expect(
      listAsked(entries, "metadata.test").filter((line) => line.includes("works")),
    ).toHaveLength(2);
    const archived = listAsked(entries, "archive.test").join("\n");
    for (const { record } of lines) {
      if (record.outcome !== "succeeded" || record.resolver === "archive") continue;
      expect(archived).not.toContain(encodeURIComponent(record.address ?? "-"));
    }
    // The document that was asked to wait for did wait, in both forms.
    const waits = listWaits(entries, "address");
    expect(waits.map(({ entry }) => entry.host).toSorted()).toEqual(["busy.test", "calendar.test"]);
    for (const { askedMs, gotMs } of waits) {
      expect(askedMs).toBe(2_000);
      expect(gotMs).toBeGreaterThanOrEqual(askedMs);
      expect(gotMs).toBeLessThan(Infinity);
    }
  });

  test("R305: the manifest has a line per run with its resolver, reason and attempts", async () => {
    await writeManifest(out, gathered);
    const text = await readFile(join(out, "manifest.jsonl"), "utf8");
    const records = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ManifestRecord);
    expect(records.map(({ id }) => id)).toEqual(records.map(({ id }) => id).toSorted());
    expect(records).toHaveLength(27);
    const ends = Object.fromEntries(records.map((record) => [record.id, record]));
    expect(ends).toMatchObject({
      zoo: { resolver: "direct", address: "http://papers.test/go/zoo", attempts: 1 },
      "zoo-design": { outcome: "succeeded", attempts: 1 },
      "zoo-faq": { outcome: "succeeded", attempts: 1 },
      "zoo-read": { resolver: "landing", attempts: 3 },
      "sandwich-OOP": { resolver: "archive", bytes: 128_829 },
      "closed-to-robots": { outcome: "skipped", reason: "robots" },
      "abstract-only": { outcome: "skipped", reason: "policy-type" },
      "too-long": { outcome: "skipped", reason: "policy-size" },
      missing: { outcome: "failed", reason: "HTTP 404", attempts: 1 },
      "error-page": { outcome: "failed", reason: "HTTP 500", attempts: 3, file: null },
      cut: { outcome: "failed", reason: "UND_ERR_SOCKET", attempts: 3 },
      stalled: { outcome: "failed", reason: "UND_ERR_BODY_TIMEOUT", attempts: 3 },
      loop: { outcome: "failed", reason: expect.stringContaining("redirects"), attempts: 1 },
      "dead-zoo": { outcome: "failed", reason: "unavailable", attempts: null },
      "dead-sandwich-OOP": { outcome: "failed", reason: "unavailable", attempts: null },
      "into-the-house": { outcome: "failed", reason: expect.stringContaining("private") },
      "no-address": { outcome: "failed", reason: "INPUT_INVALID", attempts: 0 },
    });
    expect(JSON.parse(await readFile(join(out, "summary.json"), "utf8"))).toEqual(gathered.summary);
  });

  // The last of these tests, as it changes what the others look at.
  test("R305: the host that was dead comes back, and what failed of it succeeds; the rest cannot heal", async () => {
    const again = await mill.import(contentDownload, createReadStream(LIST));
    expect(again).toMatchObject({ created: 0, duplicates: 28, badLines: 1 });
    server.heal();
    // Without it the breaker would let them go in its own time.
    await mill.resetResource("host", { key: "dead.test", reason: "it is back" });
    await mill.retryFailed({ runsPerSecond: 100 });
    const { summary } = await drain();
    expect(summary).toMatchObject({ total: 27, succeeded: 17, skipped: 3, failed: 7 });
    expect(await listFiles()).toHaveLength(8);
  });
});

describe("one document", () => {
  beforeEach(setUp);
  afterEach(tearDown);

  test("R171 R307: a run whose plans were all skipped is skipped, which is final", async () => {
    const input = ARTIFACT.parse({ id: "a", url: "http://papers.test/private/zoo.pdf" });
    await mill.enqueue(contentDownload, [{ key: "a", input }]);
    await drain();
    expect(await mill.run("last")).toMatchObject({ state: "skipped", reason: "robots" });
    await mill.retryFailed();
    expect(await mill.stats()).toMatchObject({ queued: 0, skipped: 1 });
  });

  test("R305: a document that has not changed is asked about, and not sent again", async () => {
    const input = ARTIFACT.parse({ id: "a", url: "http://papers.test/zoo.pdf" });
    await mill.enqueue(contentDownload, [{ key: "a", input }]);
    await drain();
    await mill.requeue("last");
    const gathered = await drain();
    expect(recordOf(gathered, "a")).toMatchObject({ outcome: "succeeded", reason: "not-modified" });
    const got = (await server.settled()).filter(
      ({ method, path }) => method === "GET" && path === "/zoo.pdf",
    );
    expect(got.map(({ status, bytes }) => [status, bytes])).toEqual([
      [200, readPaper("zoo").length],
      [304, 0],
    ]);
    expect(gathered.summary).toMatchObject({ total: 1, files: 1 });
  });
});
