import { expect, test } from "vitest";
import { findProgress, PROGRESS_LINE_BYTES_MAX } from "./progress-line.ts";

const find = (text: string): unknown => findProgress(Buffer.from(text));

test("a progress line tells how far a command is", () => {
  expect(find('{"millrace":"progress","done":3}')).toEqual({ done: 3 });
  expect(find('{"millrace":"progress","done":3,"total":null}')).toEqual({ done: 3 });
  expect(find('{ "total": 10, "note": "pages", "done": 0.5, "millrace": "progress" }\r')).toEqual({
    done: 0.5,
    total: 10,
    note: "pages",
  });
});

test("a long note is cut", () => {
  const note = "n".repeat(600);

  expect(find(`{"millrace":"progress","done":1,"note":"${note}"}`)).toEqual({
    done: 1,
    note: "n".repeat(500),
  });
});

test.each([
  ["other JSON", '{"done":3,"total":10}'],
  ["another word of ours", '{"millrace":"log","done":3}'],
  ["no number", '{"millrace":"progress","done":"3"}'],
  ["a negative number", '{"millrace":"progress","done":-1}'],
  ["an endless number", '{"millrace":"progress","done":1e999}'],
  ["a total that is no number", '{"millrace":"progress","done":1,"total":"many"}'],
  ["broken JSON", '{"millrace":"progress","done":3'],
  ["a list", '[{"millrace":"progress","done":3}]'],
  ["text before it", 'log: {"millrace":"progress","done":3}'],
  ["nothing", ""],
])("%s is an ordinary line", (_name, text) => {
  expect(find(text)).toBeUndefined();
});

test("a line that is too long to be progress is an ordinary line", () => {
  const padding = " ".repeat(PROGRESS_LINE_BYTES_MAX);

  expect(find(`{"millrace":"progress","done":3${padding}}`)).toBeUndefined();
});
