// Limits, pauses and breakers on the real engine: several documents of one host at the same time, judged by the
// server's own log.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMillrace } from "millrace";
import type { Millrace } from "millrace";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toPace } from "./pace.ts";
import { contentDownload } from "./pipeline.ts";
import { ARTIFACT } from "./resolve/artifact.ts";
import { HAS_RESOURCES } from "./resources.ts";
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
  const store = `sqlite:${join(folder, "store.db")}`;
  mill = await openMillrace({ store, pipelines: [contentDownload], provide: { web } });
});
afterEach(async () => {
  await mill.close();
  await web.client.close();
  await server.close();
  await rm(folder, { recursive: true });
});

/** Queues one run per address and works until all have ended. */
async function download(ways: readonly { readonly url?: string; readonly doi?: string }[]) {
  const entries = ways.map((way, index) => {
    const id = `document-${index}`;
    return { key: id, input: ARTIFACT.parse({ id, ...way }) };
  });
  await mill.enqueue(contentDownload, entries);
  for (;;) {
    await mill.work({ drain: true });
    const { queued, running, waiting, total, ...ended } = await mill.stats();
    if (queued + running + waiting === 0) return { total, ...ended };
  }
}

describe.skipIf(!HAS_RESOURCES)("with resources", () => {
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
    // Eight times 404 is no sign of death.
    expect(ends).toMatchObject({ failed: 15, succeeded: 2 });
    const entries = await server.settled();
    const breaker = { threshold: 5, forMs: toPace(60) };
    expect(entries.filter(({ host }) => host === "dead.test").length).toBeGreaterThanOrEqual(5);
    expect(listTooSoon(entries, "dead.test", breaker)).toEqual([]);
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
    const busy = PAPER_NAMES.map((name) => ({ url: `http://busy.test/shelf/${name}.pdf` }));
    const ends = await download([...busy, { url: "http://papers.test/zoo.pdf" }]);
    expect(ends).toMatchObject({ succeeded: 9 });
    const entries = await server.settled();
    const firstPause = listWaits(entries)[0];
    const other = entries.find(({ host, method }) => host === "papers.test" && method === "HEAD");
    expect(other?.startMs).toBeLessThan((firstPause?.entry.startMs ?? 0) + 1_900);
  });
});
