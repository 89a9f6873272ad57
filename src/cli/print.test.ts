import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { guessCommonFlags } from "./verb/common-flags.ts";
import {
  printAnswer,
  printDocument,
  printJsonLines,
  printRemark,
  toDocumentText,
} from "./print.ts";

function read(stream: PassThrough): string {
  return String(stream.read() ?? "");
}

test("an answer ends with one line feed, an empty one is nothing", () => {
  const stdout = new PassThrough();

  printAnswer({ stdout }, "a");
  printAnswer({ stdout }, "b\n");
  printAnswer({ stdout }, "");

  expect(read(stdout)).toBe("a\nb\n");
});

test("remarks are for people who did not ask for silence", () => {
  const stderr = new PassThrough();
  const flags = guessCommonFlags([]);

  printRemark({ stderr, flags }, "said");
  printRemark({ stderr, flags: { ...flags, quiet: true } }, "not said");

  expect(read(stderr)).toBe("said\n");
});

test("a document holds no character that a terminal would obey, and reads back as it was", () => {
  const document = { text: "\u001B[2J\u009B31m\u007F\u202E\uFEFF\u2028 plain ü" };
  const stdout = new PassThrough();

  printDocument({ stdout }, document);

  const text = read(stdout);
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  expect(text).toContain("ü");
  expect(JSON.parse(text)).toEqual(document);
  expect(toDocumentText(document, 0)).not.toContain("\n");
});

/** Counts how far it was read. */
async function* count(pulled: { count: number }, until: number): AsyncGenerator<object> {
  while (pulled.count < until) {
    pulled.count += 1;
    yield { n: pulled.count, text: "x".repeat(100) };
  }
}

test("JSON Lines are made no faster than they are read", async () => {
  const stdout = new PassThrough({ highWaterMark: 500 });
  const pulled = { count: 0 };
  const printing = printJsonLines({ stdout }, count(pulled, 1_000));
  await new Promise((resolve) => setImmediate(resolve));

  expect(pulled.count).toBeLessThan(20);
  stdout.resume();
  await printing;
  expect(pulled.count).toBe(1_000);
});

test("JSON Lines end when the reader goes away", async () => {
  const stdout = new PassThrough({ highWaterMark: 500 });
  const pulled = { count: 0 };
  const printing = printJsonLines({ stdout }, count(pulled, 1_000));
  await new Promise((resolve) => setImmediate(resolve));

  stdout.destroy();
  await printing;

  expect(pulled.count).toBeLessThan(20);
});
