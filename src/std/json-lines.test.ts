import fc from "fast-check";
import { expect, test } from "vitest";
import { makeLineSplitter } from "./json-lines.ts";

function split(chunks: readonly Uint8Array[], lineBytesMax = 1000): (string | number)[] {
  const heard: (string | number)[] = [];
  const splitter = makeLineSplitter({
    lineBytesMax,
    onLine: (line) => heard.push(line),
    onTooLong: (bytes) => heard.push(bytes),
  });
  for (const chunk of chunks) {
    const reused = chunk.slice();
    splitter.push(reused);
    // A reader may fill the same buffer again at once.
    reused.fill(0);
  }
  splitter.end();
  return heard;
}

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("lines end at 0x0A and nowhere else", () => {
  expect(split([toBytes('{"a":"\u2028\u2029\u0085\v\f"}\nb\rc\n')])).toEqual([
    '{"a":"\u2028\u2029\u0085\v\f"}',
    "b\rc",
  ]);
});

test("lines come out the same however the bytes are cut into chunks", () => {
  const texts = fc.array(fc.constantFrom("a", "é", "€", "😀", "\u2028", "\r", "\n", "{}"), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(texts, fc.array(fc.nat(200)), (parts, cuts) => {
      const text = parts.join("");
      const bytes = toBytes(text);
      const edges = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length];
      const sorted = edges.toSorted((left, right) => left - right);
      const chunks = sorted.slice(1).map((edge, index) => bytes.subarray(sorted[index], edge));
      const expected = text.split("\n").map((line) => line.replace(/\r$/, ""));
      if (text === "" || text.endsWith("\n")) expected.pop();
      expect(split(chunks)).toEqual(expected);
    }),
  );
});

test("empty lines are lines, and one carriage return before a line end is taken off", () => {
  expect(split([toBytes("\n\r\na\r\r\nb\r")])).toEqual(["", "", "a\r", "b"]);
});

test("nothing in, nothing out", () => {
  expect(split([])).toEqual([]);
  expect(split([new Uint8Array()])).toEqual([]);
});

test("a byte order mark is taken off the first line only", () => {
  expect(split([toBytes("\uFEFFa\n\uFEFFb\n")])).toEqual(["a", "\uFEFFb"]);
  expect(split([toBytes("123456\n\uFEFFa\n")], 5)).toEqual([6, "\uFEFFa"]);
  expect(split([new Uint8Array([0xef]), new Uint8Array([0xbb, 0xbf, 0x61])])).toEqual(["a"]);
});

test("a line of exactly the limit passes, with either line end; one byte more is skipped", () => {
  expect(split([toBytes("12345\n12345\r\n123456\n12345\r\r\n€€\nok\n")], 5)).toEqual([
    "12345",
    "12345",
    6,
    7,
    6,
    "ok",
  ]);
});

test("a line that is too long is skipped across chunks, and its whole length is told", () => {
  const chunks = ["1234", "5678", "90", "1\nok\n", "abcdefgh"].map(toBytes);
  expect(split(chunks, 5)).toEqual([11, "ok", 8]);
});

test("the limit is the same where a chunk ends on it", () => {
  expect(split(["12345\r", "\n", "ok\n"].map(toBytes), 5)).toEqual(["12345", "ok"]);
  expect(split(["123456", "\n", "ok\n"].map(toBytes), 5)).toEqual([6, "ok"]);
  expect(split(["1234567", "\n", "ok\n"].map(toBytes), 5)).toEqual([7, "ok"]);
});

test("without a listener for long lines they are just skipped", () => {
  const lines: string[] = [];
  const splitter = makeLineSplitter({ lineBytesMax: 2, onLine: (line) => lines.push(line) });
  splitter.push(toBytes("123\n12\n"));
  expect(lines).toEqual(["12"]);
});

test("a line that was refused by its reader does not come twice", () => {
  const lines: string[] = [];
  const splitter = makeLineSplitter({
    lineBytesMax: 10,
    onLine: (line) => {
      if (line === "bad") throw new Error("refused");
      lines.push(line);
    },
  });
  expect(() => splitter.push(toBytes("bad\n"))).toThrow("refused");
  splitter.push(toBytes("good\n"));
  splitter.end();
  expect(lines).toEqual(["good"]);
});

test("bytes that are no UTF-8 are told and skipped where somebody listens, else they come as U+FFFD", () => {
  const bytes = Uint8Array.from([0x61, 0xc3, 0x0a, 0x62, 0x0a, 0xff]);
  const heard: string[] = [];
  const splitter = makeLineSplitter({
    lineBytesMax: 10,
    onLine: (line) => heard.push(line),
    onNotText: () => heard.push("?"),
  });
  splitter.push(bytes);
  splitter.end();
  expect(heard).toEqual(["?", "b", "?"]);
  expect(split([bytes])).toEqual(["a\uFFFD", "b", "\uFFFD"]);
});
