// Nothing that comes from outside is unpacked: requests that are packed are refused unread, answers that are packed
// are bytes like any others, and no source of ours knows how to unpack. Whoever adds that meets the limits here first.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { Client } from "../../examples/05-content-download/net/client.ts";
import { fetchPart } from "../../examples/05-content-download/store/fetch-part.ts";
import { isTest, listFiles, readText } from "../../scripts/repository.ts";
import { defineRoute } from "../../src/http/route.ts";
import { postNotice } from "../../src/service/listeners/notices/post-notice.ts";
import { isRecord } from "../../src/std/record.ts";
import { rawRequest, sendRaw, startServed, type Served } from "../support/served.ts";

/** What unpacks to a thousand times as much. */
const BOMB = gzipSync(Buffer.alloc(16 * 1024 * 1024));
/** What the buffers of two ends of a connection may hold on their own; whoever reads on is far beyond it. */
const UNREAD_BYTES_MAX = 32 * 1024 * 1024;

let calls = 0;
let served: Served;

const take = defineRoute({
  method: "POST",
  path: "/api/v1/take",
  access: "operate",
  tag: "test",
  summary: "takes anything",
  body: z.unknown(),
  handle: () => ({ json: { calls: ++calls } }),
});

const takeRows = defineRoute({
  method: "POST",
  path: "/api/v1/rows",
  access: "operate",
  tag: "test",
  summary: "counts the bytes of a stream",
  bodyType: "application/jsonl",
  bodyBytesMax: 1024 * 1024 * 1024,
  handle: async ({ context }) => {
    calls += 1;
    return { json: { bytes: (await context.req.arrayBuffer()).byteLength } };
  },
});

beforeAll(async () => {
  served = await startServed({ extras: { routes: [take, takeRows] } });
});
afterAll(() => served.close());

const BODIES = [
  ["/api/v1/take", "application/json"],
  ["/api/v1/rows", "application/jsonl"],
] as const;

const CODINGS = [
  "gzip",
  "x-gzip",
  "deflate",
  "br",
  "zstd",
  "compress",
  "identity",
  "GZIP",
  "",
  "gzip, gzip",
  "identity, gzip",
  Array.from({ length: 1_000 }, () => "gzip").join(", "),
  "nobody-knows-this",
];

test("S16: a question that says it is packed is refused, also where its answer is given again", async () => {
  for (const path of ["/api/v1/queue", "/api/v1/runs", "/api/v1/runs"]) {
    const headers = { authorization: `Bearer ${served.tokens.read}`, "content-encoding": "gzip" };
    const response = await fetch(`${served.server.url}${path}`, { headers });
    expect([path, response.status]).toEqual([path, 400]);
    expect(await response.json()).toMatchObject({ error: { code: "REQUEST_INVALID" } });
  }
});

test("S16: a body that is packed in any way, in many or in none that is known is refused", async () => {
  calls = 0;
  for (const [path, type] of BODIES) {
    for (const coding of CODINGS) {
      for (const lines of [
        [`Content-Encoding: ${coding}`],
        PLAIN.concat(`Content-Encoding: ${coding}`),
      ]) {
        const raw = rawRequest(`POST ${path} HTTP/1.1`, [...headersOf(type), ...lines], "{}");
        const { status, text } = await sendRaw(served.server.port, raw);
        expect([coding.slice(0, 30), status]).toEqual([coding.slice(0, 30), 400]);
        expect(text).toContain('"code":"REQUEST_INVALID"');
        expect(text).toContain("is packed as");
      }
    }
  }
  expect(calls).toBe(0);
});

const PLAIN = ["Content-Encoding: identity"];

function headersOf(type: string): readonly string[] {
  return [
    `Host: ${served.host}`,
    `Authorization: Bearer ${served.tokens.admin}`,
    `Content-Type: ${type}`,
  ];
}

test("S16: nor is it unpacked on its way, whatever the transfer says", async () => {
  calls = 0;
  for (const coding of ["gzip, chunked", "chunked, gzip", "deflate, chunked", "gzip"]) {
    const head = [
      "POST /api/v1/take HTTP/1.1",
      ...headersOf("application/json"),
      `Transfer-Encoding: ${coding}`,
      "Connection: close",
    ];
    const raw = `${head.join("\r\n")}\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
    expect([coding, (await sendRaw(served.server.port, raw)).status]).toEqual([coding, 400]);
  }
  expect(calls).toBe(0);
});

test("S16: a packed body without an end is refused at its head, and nobody reads it on", async () => {
  for (const [path, type] of BODIES) {
    const head = [
      `POST ${path} HTTP/1.1`,
      ...headersOf(type),
      "Content-Encoding: gzip",
      "Transfer-Encoding: chunked",
    ];
    const { answer, sentBytes } = await sendEndless(`${head.join("\r\n")}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(sentBytes).toBeLessThan(UNREAD_BYTES_MAX);
  }
});

/** Sends chunks for as long as they are taken, until an answer came or the other side closes. */
function sendEndless(
  head: string,
): Promise<{ readonly answer: string; readonly sentBytes: number }> {
  return new Promise((resolve) => {
    const chunk = Buffer.concat([
      Buffer.from(`${BOMB.length.toString(16)}\r\n`),
      BOMB,
      Buffer.from("\r\n"),
    ]);
    let answer = "";
    const socket = connect(served.server.port, "127.0.0.1", () => {
      socket.write(head);
      push();
    });
    const push = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", push);
    socket.on("data", (piece) => {
      answer += piece.toString("latin1");
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve({ answer, sentBytes: socket.bytesWritten }));
  });
}

/** A server whose every answer is a bomb, or goes on for ever; counts what was taken of it. */
async function startHostile(
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly port: number; takenBytes(): number }> {
  let bytes = 0;
  const server: Server = createServer((request, response) => {
    if (request.url === "/robots.txt") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, headers);
    sendOn(response);
    response.on("close", () => (bytes += response.socket?.bytesWritten ?? 0));
    request.socket.on("close", () => (bytes = Math.max(bytes, request.socket.bytesWritten)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A server on a port of the system has an address of this form.
  const { port } = server.address() as AddressInfo;
  return { port, takenBytes: () => bytes };
}

function sendOn(response: ServerResponse): void {
  const push = (): void => {
    while (!response.destroyed && response.write(BOMB));
  };
  response.on("drain", push);
  response.on("error", () => undefined);
  push();
}

test("S16: an endless bomb in answer to a notice is cut off after a few bytes, and never unpacked", async () => {
  for (const coding of ["gzip", CODINGS.find((each) => each.length > 1_000) ?? ""]) {
    const hostile = await startHostile({ "content-encoding": coding, "retry-after": "1" });
    const before = process.memoryUsage().arrayBuffers;
    const answer = await postNotice({
      target: "ops",
      url: new URL(`http://127.0.0.1:${hostile.port}/hook`),
      headers: { "content-type": "application/json" },
      body: "{}",
      allowsPrivate: true,
      signal: AbortSignal.timeout(30_000),
    });
    expect(answer).toEqual({ status: 200, retryAfter: "1" });
    await expect.poll(() => hostile.takenBytes()).toBeGreaterThan(0);
    expect(hostile.takenBytes()).toBeLessThan(UNREAD_BYTES_MAX);
    // One bomb unpacked would be 16 MiB, all that was sent of them gigabytes.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(UNREAD_BYTES_MAX);
  }
});

test("S16: the example that downloads asks for what is not packed, and refuses for good what is", async () => {
  const hostile = await startHostile({
    "content-type": "application/pdf",
    "content-encoding": "gzip",
  });
  const folder = mkdtempSync(join(tmpdir(), "millrace-packed-"));
  const client = new Client({
    userAgent: "millrace-example/1.0 (+https://example.com)",
    silenceMsMax: 5_000,
    connectTimeoutMs: 5_000,
    testServer: { address: "127.0.0.1", port: hostile.port },
  });
  onTestFinished(async () => {
    await client.close();
    rmSync(folder, { recursive: true });
  });
  const fetching = fetchPart("http://papers.test/bomb.pdf", {
    client,
    signal: AbortSignal.timeout(30_000),
    type: "application/pdf",
    bytesMax: 1024 * 1024,
    part: join(folder, "part"),
    known: undefined,
  });
  await expect(fetching).rejects.toMatchObject({
    name: "PermanentError",
    message: expect.stringContaining("is packed as gzip"),
  });
  expect(readdirSync(folder)).toEqual([]);
});

const SPECIFIER =
  /(?:\bfrom|\bimport|\brequire|\bgetBuiltinModule)\s*\(?\s*["']([^"'.][^"']*)["']/g;
const PACKER =
  /zlib|gzip|zip|\btar\b|tar-|-tar|unpack|inflate|fflate|pako|lzma|\bxz|brotli|zstd|7z|rar\b/i;
const UNPACKING = /inflate|gunzip|unzip|decompress|DecompressionStream/i;

/** Sources that ship, each without its comments. */
function readSources(): readonly (readonly [string, string])[] {
  return listFiles("src")
    .filter((file) => /\.(?:ts|js|tsx)$/.test(file) && !isTest(file))
    .map((file) => [file, readText("src", file).replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "")]);
}

test("S16 S17: no source unpacks and no package that ships does: who changes that owes limits and tests of both", () => {
  const imported = new Map<string, string[]>();
  for (const [file, text] of readSources()) {
    expect([file, UNPACKING.exec(text)?.[0]]).toEqual([file, undefined]);
    for (const [, name = ""] of text.matchAll(SPECIFIER)) {
      if (PACKER.test(name)) imported.set(name, [...(imported.get(name) ?? []), file]);
    }
  }
  // States of items are packed, never unpacked: that is the reader's.
  expect(Object.fromEntries(imported)).toEqual({
    "node:zlib": ["service/queries/run/item-states.ts"],
  });
  const manifest: unknown = JSON.parse(readText(".", "package.json"));
  const dependencies = isRecord(manifest) ? manifest["dependencies"] : undefined;
  const names = Object.keys(isRecord(dependencies) ? dependencies : {});
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => PACKER.test(name))).toEqual([]);
});
