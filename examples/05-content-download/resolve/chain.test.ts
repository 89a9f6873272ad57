// The chain against a real server on loopback: whom it asked is in the server's log.
import { afterEach, beforeEach, expect, test } from "vitest";
import { listAsked } from "../server/judge.ts";
import { startServer } from "../server/server.ts";
import type { DownloadServer } from "../server/server.ts";
import { makeWeb } from "../settings.ts";
import type { Web } from "../settings.ts";
import { ARTIFACT } from "./artifact.ts";
import { resolveArtifact } from "./chain.ts";
import type { Resolution } from "./chain.ts";
import { findPdfLink } from "./resolver.ts";

let server: DownloadServer;
let web: Web;
beforeEach(async () => {
  server = await startServer({ answerMs: 1 });
  web = makeWeb({ CONTENT_DOWNLOAD_TEST_SERVER: `127.0.0.1:${server.port}` });
});
afterEach(async () => {
  await web.client.close();
  await server.close();
});

function resolve(artifact: object): Promise<Resolution> {
  const { client, metadata, archive, bytesMax } = web;
  const { signal } = new AbortController();
  const desk = {
    client,
    metadata,
    archive,
    signal,
    hold:
      () =>
      <T>(_request: unknown, block: () => Promise<T>) =>
        block(),
  };
  return resolveArtifact(ARTIFACT.parse({ id: "a", ...artifact }), desk, { bytesMax });
}

async function hostsAsked(): Promise<string[]> {
  return [...new Set((await server.settled()).map(({ host }) => host))];
}

test("R307: the first success wins, and later resolvers are not asked", async () => {
  const resolution = await resolve({ url: "http://papers.test/go/zoo", doi: "10.1/sandwich" });
  expect(resolution).toMatchObject({
    kind: "found",
    plan: {
      resolver: "direct",
      address: "http://papers.test/go/zoo",
      location: "http://papers.test/zoo.pdf",
      outcomes: [],
    },
  });
  expect(await hostsAsked()).not.toContain("metadata.test");
  expect(await hostsAsked()).not.toContain("archive.test");
});

test("R305: metadata, a landing page in two forms, and the archive each lead to a document", async () => {
  expect(await resolve({ doi: "10.1/sandwich" })).toMatchObject({
    plan: { resolver: "metadata", location: "http://papers.test/sandwich.pdf" },
  });
  for (const id of ["zoo-quickref", "zoo-read"]) {
    expect(await resolve({ landing: `http://journal.test/article/${id}` })).toMatchObject({
      plan: { resolver: "landing", location: `http://journal.test/files/${id}.pdf` },
    });
  }
  expect(await resolve({ url: "http://papers.test/gone/sandwich-OOP.pdf" })).toMatchObject({
    plan: {
      resolver: "archive",
      outcomes: [
        { resolver: "direct", kind: "failed", reason: "HTTP 404" },
        { resolver: "metadata", kind: "none" },
        { resolver: "landing", kind: "none" },
      ],
    },
  });
});

test.each([
  ["robots", "http://papers.test/private/zoo.pdf"],
  ["policy-type", "http://papers.test/abstract.pdf"],
  ["policy-size", "http://papers.test/scans.pdf"],
])("R307: where all plans are skipped the answer is a skip: %s", async (reason, url) => {
  expect(await resolve({ url })).toEqual({ kind: "skipped", reason });
  const got = listAsked(await server.settled(), "papers.test").filter((line) =>
    line.startsWith("GET"),
  );
  expect(got).toEqual(["GET /robots.txt"]);
});

test("no way at all is an error for good that says what each resolver said", async () => {
  await expect(resolve({ url: "http://papers.test/missing.pdf" })).rejects.toMatchObject({
    millraceClass: "permanent",
    message:
      "no way leads to the document. direct: HTTP 404; metadata: nothing; landing: nothing; archive: nothing.",
  });
});

test("where one way may be open later, its error stands for all, so that the chain is tried again", async () => {
  const both = { url: "http://dead.test/zoo.pdf", landing: "http://papers.test/missing" };
  await expect(resolve(both)).rejects.toMatchObject({ name: "HttpError", status: 503 });
});

test("a way that is closed for now keeps nobody from another that is open", async () => {
  const both = { url: "http://dead.test/zoo.pdf", doi: "10.1/sandwich" };
  expect(await resolve(both)).toMatchObject({ plan: { resolver: "metadata" } });
});

test("the link of a page is what it tells search engines, else its first PDF, however it is quoted", () => {
  const meta = `<meta content='a.pdf' name='citation_pdf_url'>`;
  expect(findPdfLink(`<a href="b.pdf">b</a>${meta}`)).toBe("a.pdf");
  expect(findPdfLink(`<a href="/x">x</a><a class=k href="b.PDF?v=1&amp;w=2">`)).toBe(
    "b.PDF?v=1&w=2",
  );
  expect(findPdfLink(`<a href="/pdf/viewer">x</a>`)).toBeUndefined();
  expect(findPdfLink("")).toBeUndefined();
});

test("a hostile page costs no time", () => {
  const startMs = performance.now();
  findPdfLink("<a ".repeat(100_000));
  findPdfLink(`<a ${"href = ".repeat(50_000)}`);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});

test("a line of the list names its document and at least one way to it", () => {
  expect(ARTIFACT.safeParse({ id: "a" }).success).toBe(false);
  expect(ARTIFACT.safeParse({ id: "a", url: 42 }).success).toBe(false);
  expect(ARTIFACT.safeParse({ id: "a", url: "x", uri: "y" }).success).toBe(false);
  expect(ARTIFACT.parse({ id: "a", url: "x" }).type).toBe("application/pdf");
});
