import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMAND_LINE_BYTES_MAX } from "../../../model/limits.ts";
import { LineCutter, toLineText } from "./line-cutter.ts";

interface Seen {
  readonly text: string;
  readonly length: number;
  readonly isEnded: boolean;
}

function cut(chunks: readonly Buffer[], lineBytesMax = 100): Seen[] {
  const seen: Seen[] = [];
  const cutter = new LineCutter({
    lineBytesMax,
    onLine: ({ bytes, length, isEnded }) => seen.push({ text: bytes.toString(), length, isEnded }),
  });
  for (const chunk of chunks) cutter.push(chunk);
  cutter.end();
  cutter.end();
  return seen;
}

test("however bytes are split into chunks, the lines are the same", () => {
  const pieces = fc.constantFrom("a", "é", "🦆", "\n", "\r\n", "\u2028", "\0", "");
  fc.assert(
    fc.property(fc.array(pieces), fc.array(fc.nat(20)), (words, sizes) => {
      const bytes = Buffer.from(words.join(""));
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      chunks.push(bytes.subarray(at));
      const expected = words.join("").split("\n");
      if (expected.at(-1) === "") expected.pop();

      expect(cut(chunks, 1_000).map((line) => line.text)).toEqual(expected);
    }),
  );
});

test("the last line of a stream is given out once, and says that it did not end", () => {
  expect(cut([Buffer.from("one\ntwo")])).toEqual([
    { text: "one", length: 3, isEnded: true },
    { text: "two", length: 3, isEnded: false },
  ]);
});

test("of a long line only the first bytes are held, and its length is known", () => {
  const chunks = [Buffer.from("abcd"), Buffer.from("efgh"), Buffer.from("ij\nk\n")];

  expect(cut(chunks, 5)).toEqual([
    { text: "abcde", length: 10, isEnded: true },
    { text: "k", length: 1, isEnded: true },
  ]);
});

test("a line in progress can be read while it is short", () => {
  const cutter = new LineCutter({ lineBytesMax: 100, onLine: () => {} });
  expect(cutter.peek(10)).toBeUndefined();

  cutter.push(Buffer.from("done\nRea"));
  cutter.push(Buffer.from("dy"));

  expect(cutter.peek(5)).toBe("Ready");
  expect(cutter.peek(4)).toBeUndefined();
  expect(cutter.pendingBytes).toBe(5);
});

test("as text a line loses its carriage return, and what is not UTF-8 is replaced", () => {
  const bytes = Buffer.from([0x61, 0xff, 0x0d]);

  expect(toLineText({ bytes, length: 3, isEnded: true })).toBe("a\uFFFD");
});

test("as text a line ends at 64 KiB with a mark, never inside a character", () => {
  const whole = Buffer.from(`${"x".repeat(COMMAND_LINE_BYTES_MAX - 1)}é${"y".repeat(10)}`);
  const bytes = whole.subarray(0, COMMAND_LINE_BYTES_MAX + 1);

  const text = toLineText({ bytes, length: whole.length, isEnded: true });

  expect(text).toBe(`${"x".repeat(COMMAND_LINE_BYTES_MAX - 1)}… (+12 bytes)`);
});

test("a line of exactly 64 KiB is whole, with and without a carriage return", () => {
  const line = "x".repeat(COMMAND_LINE_BYTES_MAX);
  const plain = Buffer.from(line);
  const returned = Buffer.from(`${line}\r`);

  expect(toLineText({ bytes: plain, length: plain.length, isEnded: true })).toBe(line);
  expect(toLineText({ bytes: returned, length: returned.length, isEnded: true })).toBe(line);
});
