// What is kept, and what never is: parts, files by content, what is known of addresses.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startServer } from "../server/server.ts";
import type { DownloadServer } from "../server/server.ts";
import { readPaper } from "../server/sites.ts";
import { makeWeb } from "../settings.ts";
import type { Web } from "../settings.ts";
import { adoptPart, sweepParts, toFileName } from "./content-store.ts";
import { fetchPart } from "./fetch-part.ts";
import type { Fetched } from "./fetch-part.ts";
import { findKnownPage, keepKnownPage } from "./known-page.ts";
import type { KnownPage } from "./known-page.ts";
import { verifyFile } from "./verify-file.ts";

let out = "";
let server: DownloadServer;
let web: Web;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "content-download-"));
  server = await startServer({ answerMs: 1 });
  web = makeWeb({ CONTENT_DOWNLOAD_TEST_SERVER: `127.0.0.1:${server.port}` });
});
afterEach(async () => {
  await web.client.close();
  await server.close();
  await rm(out, { recursive: true });
});

const PART = join("parts", "one.part");

function fetch(
  address: string,
  { known, bytesMax = 1e9 }: { readonly known?: KnownPage; readonly bytesMax?: number } = {},
): Promise<Fetched> {
  const { signal } = new AbortController();
  const part = join(out, PART);
  const options = { client: web.client, signal, type: "application/pdf", bytesMax, part, known };
  return fetchPart(address, options);
}

async function listParts(): Promise<string[]> {
  return readdir(join(out, "parts")).catch(() => []);
}

test("R305: a part holds the bytes that were served, and what the host says of them", async () => {
  const fetched = await fetch("http://papers.test/zoo.pdf");
  const content = readPaper("zoo");
  expect(fetched).toEqual({
    kind: "fetched",
    bytes: content.length,
    etag: expect.stringMatching(/^"[0-9a-f]{16}"$/),
    lastModified: "Mon, 03 Jan 2022 10:00:00 GMT",
  });
  expect(content.equals(await readFile(join(out, PART)))).toBe(true);
});

test("R305: what is known is asked for under its mark, and no body comes again", async () => {
  const fetched = await fetch("http://papers.test/zoo.pdf");
  if (fetched.kind !== "fetched") throw new Error("not fetched");
  const known: KnownPage = {
    address: "http://papers.test/zoo.pdf",
    etag: fetched.etag,
    sha256: "0".repeat(64),
    bytes: 1,
    file: "x",
  };
  expect(await fetch("http://papers.test/zoo.pdf", { known })).toEqual({ kind: "not-modified" });
  const last = (await server.settled()).at(-1);
  expect(last).toMatchObject({ status: 304, bytes: 0, ifNoneMatch: fetched.etag });
});

test.each([
  ["http://papers.test/missing.pdf", { status: 404 }],
  ["http://faulty.test/error.pdf", { status: 500 }],
  ["http://busy.test/zoo-design.pdf", { status: 429, headers: { "retry-after": "2" } }],
])("R306: the page of an HTTP error is never content: %s", async (address, fault) => {
  await expect(fetch(address)).rejects.toMatchObject({ name: "HttpError", ...fault });
  expect(await listParts()).toEqual([]);
});

test.each([
  ["http://papers.test/abstract.pdf", "unexpected-ct"],
  ["http://papers.test/scans.pdf", "too-large"],
])("R305: %s is refused by its headers: %s", async (address, reason) => {
  const fetching = fetch(address, { bytesMax: 2_000_000 });
  await expect(fetching).rejects.toMatchObject({
    message: expect.stringContaining(reason),
    millraceClass: "permanent",
  });
  expect(await listParts()).toEqual([]);
});

test.each(["torn.test/cut", "silent.test/stalled"])(
  "R305: half a document (%s) leaves no part",
  async (name) => {
    await expect(fetch(`http://${name}.pdf`)).rejects.toThrow();
    expect(await listParts()).toEqual([]);
  },
);

test("R305: size, mark and digest are read from the disk", async () => {
  const path = join(out, "a.pdf");
  await writeFile(path, "%PDF-1.4\n");
  const sha256 = createHash("sha256").update("%PDF-1.4\n").digest("hex");
  const type = "application/pdf";
  expect(await verifyFile(path, { type, bytes: 9, sha256 })).toEqual({ sha256, bytes: 9 });
  await expect(verifyFile(path, { type, bytes: 8 })).rejects.toThrow("has 9 bytes, expected 8");
  const other = "f".repeat(64);
  await expect(verifyFile(path, { type, bytes: 9, sha256: other })).rejects.toThrow("SHA-256");
  await writeFile(path, "<h1>No</h1>");
  await expect(verifyFile(path, { type, bytes: 11 })).rejects.toThrow('begins with "<h1>N"');
});

test("R305: the same bytes are kept once, and a repeated move is none", async () => {
  const file = toFileName("ab".repeat(32), "application/pdf");
  const put = async (name: string): Promise<string> => {
    await mkdir(join(out, "parts"), { recursive: true });
    await writeFile(join(out, "parts", name), "content");
    return join("parts", name);
  };
  const part = await put("one.part");
  expect(await adoptPart(out, part, file)).toEqual({ file, isNew: true });
  expect(await adoptPart(out, part, file)).toEqual({ file, isNew: false });
  expect(await adoptPart(out, await put("two.part"), file)).toEqual({ file, isNew: false });
  expect(await listParts()).toEqual([]);
  expect(await readFile(join(out, file), "utf8")).toBe("content");
  const lost = adoptPart(out, part, toFileName("cd".repeat(32), "application/pdf"));
  await expect(lost).rejects.toMatchObject({ code: "ENOENT" });
});

test("an address is known as long as its file is there and has its size", async () => {
  const address = "http://papers.test/zoo.pdf";
  expect(await findKnownPage(out, address)).toBeUndefined();
  const page = { address, etag: '"a"', sha256: "0".repeat(64), bytes: 3, file: "a.pdf" };
  await keepKnownPage(out, page);
  expect(await findKnownPage(out, address)).toBeUndefined();
  await writeFile(join(out, "a.pdf"), "abc");
  expect(await findKnownPage(out, address)).toEqual(page);
  expect(await findKnownPage(out, `${address}?other`)).toBeUndefined();
  await writeFile(join(out, "a.pdf"), "ab");
  expect(await findKnownPage(out, address)).toBeUndefined();
});

test("parts that nobody wrote to for an hour are swept, others are left", async () => {
  expect(await sweepParts(out, 0)).toBe(0);
  await mkdir(join(out, "parts"));
  const atMs = 1_000_000_000_000;
  for (const [name, ageMs] of [
    ["old.part", 3_600_001],
    ["new.part", 3_600_000],
  ] as const) {
    const path = join(out, "parts", name);
    await writeFile(path, "");
    const at = new Date(atMs - ageMs);
    await utimes(path, at, at);
  }
  expect(await sweepParts(out, atMs)).toBe(1);
  expect(await listParts()).toEqual(["new.part"]);
});
