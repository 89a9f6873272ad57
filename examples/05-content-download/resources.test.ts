// Limits, pauses and breakers on the real engine: several documents of one host at the same time, judged by the
// server's own log.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMillrace } from "millrace";
import type { Millrace, OpenOptions } from "millrace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toPace } from "./pace.ts";
import { contentDownload } from "./pipeline.ts";
import { ARTIFACT } from "./resolve/artifact.ts";
import { countParallelMax, listTooSoon, listWaits } from "./server/judge.ts";
import { startServer } from "./server/server.ts";
import type { DownloadServer } from "./server/server.ts";
import { PAPER_NAMES } from "./server/sites.ts";
import { makeWeb } from "./settings.ts";
import type { Web } from "./settings.ts";

let folder = "";
let server: DownloadServer;
let web: Web;
let mill: Millrace;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "content-download-"));
  server = await startServer({ answerMs: 100 });
  web = makeWeb({
    CONTENT_DOWNLOAD_OUT: join(folder, "out"),
    CONTENT_DOWNLOAD_TEST_SERVER: `127.0.0.1:${server.port}`,
  });
  mill = await open();
});
afterEach(async () => {
  await mill.close();
  await web.client.close();
  await server.close();
  await rm(folder, { recursive: true });
});

function open(options: OpenOptions = {}): Promise<Millrace> {
  const store = `sqlite:${join(folder, "store.db")}`;
  return openMillrace({ store, pipelines: [contentDownload], provide: { web }, ...options });
}

type Way = { readonly url?: string; readonly doi?: string };

/** Queues one run per document. */
async function enqueue(ways: readonly Way[]) {
  const entries = ways.map((way, index) => {
    const id = `document-${index}`;
    return { key: id, input: ARTIFACT.parse({ id, ...way }) };
  });
  await mill.enqueue(contentDownload, entries);
}

/** Queues them and works until all have ended. */
async function download(ways: readonly Way[]) {
  await enqueue(ways);
  for (;;) {
    await mill.work({ drain: true, concurrency: 20 });
    const { queued, running, waiting, total, ...ended } = await mill.stats();
    if (queued + running + waiting === 0) return { total, ...ended };
  }
}

test("R106: a host is never asked more than four things at once, and is asked four", async () => {
  const ends = await download(
    PAPER_NAMES.map((name) => ({ url: `http://shelf.test/${name}.pdf` })),
  );
  expect(ends).toMatchObject({ succeeded: PAPER_NAMES.length });
  expect(countParallelMax(await server.settled(), "shelf.test")).toBe(4);
});

test("R105: the metadata service is never asked more than two things at once", async () => {
  const ends = await download(PAPER_NAMES.map((name) => ({ doi: `shelf/${name}` })));
  expect(ends).toMatchObject({ succeeded: PAPER_NAMES.length });
  expect(countParallelMax(await server.settled(), "metadata.test")).toBe(2);
});

test("R130 R131: the breaker of a dead host opens, it is left alone, and another host works", async () => {
  const dead = PAPER_NAMES.map((name) => ({ url: `http://dead.test/${name}.pdf` }));
  const gone = PAPER_NAMES.map((name) => ({ url: `http://papers.test/gone/${name}.pdf` }));
  const ends = await download([...dead, ...gone, { url: "http://papers.test/zoo.pdf" }]);
  // One of those that are gone lies in the archive.
  expect(ends).toMatchObject({ failed: 15, succeeded: 2 });
  const entries = await server.settled();
  const asked = entries.filter(({ host }) => host === "dead.test");
  expect(asked.length).toBeGreaterThan(5);
  const breaker = { threshold: 5, forMs: toPace(60) };
  expect(listTooSoon(entries, "dead.test", breaker)).toEqual([]);
  const { resources } = await mill.resources({ resource: "host" });
  const states = new Map(resources.map(({ key, breaker: found }) => [key, found]));
  expect(states.get("dead.test")).toMatchObject({ failures: asked.length });
  expect(states.get("dead.test")?.state).not.toBe("closed");
  // Eight times 404 is no sign of death.
  expect(states.get("papers.test")).toMatchObject({ state: "closed", failures: 0, openings: 0 });
});

test("R132 R152: a host that asks for two seconds is left alone for them, whatever is asked of it", async () => {
  const urls = [
    "busy.test/zoo-design.pdf",
    "busy.test/zoo-quickref.pdf",
    "calendar.test/zoo-faq.pdf",
  ];
  const ends = await download(urls.map((url) => ({ url: `http://${url}` })));
  expect(ends).toMatchObject({ succeeded: 3 });
  const waits = listWaits(await server.settled());
  expect(waits).toHaveLength(2);
  for (const { askedMs, gotMs } of waits) expect(gotMs).toBeGreaterThanOrEqual(askedMs);
});

test("R108: eight runs of a host that wants to be left alone keep no slot from another", async () => {
  // All of them find their document before the first one hears that it is to come later.
  await mill.close();
  mill = await open({ resources: { host: { limit: 8 } } });
  const resting = PAPER_NAMES.map((name) => ({ url: `http://resting.test/${name}.pdf` }));
  await enqueue([...resting, { url: "http://papers.test/zoo.pdf" }]);
  // With eight slots. It ends as soon as nothing is left that may go on now: long before the host is to be asked again.
  await mill.work({ drain: true });
  expect(await mill.stats()).toMatchObject({ succeeded: 1, waiting: 8 });
  const entries = await server.settled();
  const putOff = entries.filter(({ status }) => status === 429);
  expect(putOff.length).toBeGreaterThan(0);
  const other = entries.find(({ host }) => host === "papers.test");
  expect(other?.startMs).toBeLessThan((putOff[0]?.startMs ?? 0) + 3_000);
  expect(listWaits(entries).filter(({ gotMs }) => gotMs < Infinity)).toEqual([]);
});

test("R147: of two quotas on one host both hold, which the server sees; who waits for the longer one parks", async () => {
  const quota = [
    { rate: 10, per: "1s", burst: 1 },
    { rate: 6, per: "1h" },
  ] as const;
  await mill.close();
  mill = await open({ resources: { host: { quota } } });
  await enqueue(PAPER_NAMES.map((name) => ({ url: `http://shelf.test/${name}.pdf` })));
  await mill.work({ drain: true });
  // One of the six was robots.txt.
  expect(await mill.stats()).toMatchObject({ succeeded: 5, waiting: 3 });
  const starts = (await server.settled())
    .filter(({ method }) => method === "GET")
    .map(({ startMs }) => startMs)
    .toSorted((a, b) => a - b);
  expect(starts).toHaveLength(6);
  // Five gaps of 100 ms; less than one for what a machine may take to send the first.
  expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(400);
});
