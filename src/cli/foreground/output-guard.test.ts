import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { guardOutput, tameLine } from "./output-guard.ts";

test("what is written comes as lines, pieces put together, and the stream is given back", () => {
  const stream = new PassThrough({ encoding: "utf8" });
  const lines: string[] = [];
  const guard = guardOutput(stream, (line) => lines.push(line));
  stream.write("one\ntw");
  stream.write(Buffer.from("o\nthr"));
  expect(lines).toEqual(["one", "two"]);
  guard.restore();
  guard.restore();
  expect(lines).toEqual(["one", "two", "thr"]);
  stream.write("mine");
  expect(stream.read()).toBe("mine");
});

test("a sign that is cut between two writes comes whole", () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const guard = guardOutput(stream, (line) => lines.push(line));
  const bytes = Buffer.from("日\n");
  stream.write(bytes.subarray(0, 2));
  stream.write(bytes.subarray(2));
  expect(lines).toEqual(["日"]);
  guard.restore();
});

test("a writer that waits for its callback gets it", async () => {
  const stream = new PassThrough();
  const guard = guardOutput(stream, () => undefined);
  await new Promise<void>((resolve) => stream.write("x", () => resolve()));
  guard.restore();
});

test("a line without an end does not grow for ever", () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const guard = guardOutput(stream, (line) => lines.push(line));
  for (let piece = 0; piece < 5; piece++) stream.write("x".repeat(10_000));
  expect(lines.length).toBeGreaterThan(1);
  guard.restore();
});

test("colours stay and end, everything else that a terminal obeys is shown", () => {
  const line = "\u001b[32mok\u001b[39m \u001b[2J\u0007\tend\r";
  expect(tameLine(line, true)).toBe("\u001b[32mok\u001b[39m \\x1b[2J\\x07    end\u001b[0m");
  expect(tameLine(line, false)).toBe("ok \\x1b[2J\\x07    end");
  expect(tameLine("plain", true)).toBe("plain");
});
