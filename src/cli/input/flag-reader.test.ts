import { expect, test } from "vitest";
import type { ParsedOptions } from "../cli-context.ts";
import { FlagReader, toFlag } from "./flag-reader.ts";
import { readPage, readSince, readStates, readTag } from "./list-flags.ts";
import { readConcurrency, readSelection } from "./selection.ts";

/** What `read` gives, or the faults that `finish` tells. */
function read<T>(options: ParsedOptions, how: (reader: FlagReader) => T): T | string {
  const reader = new FlagReader(options);
  const value = how(reader);
  try {
    reader.finish();
    return value;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("absent flags are undefined and no fault", () => {
  expect(read({}, (reader) => reader.text("key"))).toBeUndefined();
  expect(read({}, (reader) => reader.names("skip"))).toBeUndefined();
  expect(read({}, (reader) => reader.whole("limit", { min: 1, max: 5 }))).toBeUndefined();
  expect(read({}, (reader) => readSelection(reader))).toEqual({});
  expect(read({}, (reader) => readPage(reader))).toEqual({});
});

test("names may be separated by commas and repeated", () => {
  const names = read({ skip: ["a,b", "c"] }, (reader) => reader.names("skip"));

  expect(names).toEqual(["a", "b", "c"]);
  expect(read({ skip: ["a,,b"] }, (reader) => reader.names("skip"))).toContain("--skip: expected");
});

test.each(["0", "501", "-1", "x", "1.5", "1e2", ""])("--limit %j is refused", (limit) => {
  expect(read({ limit }, (reader) => readPage(reader))).toBe(
    `--limit: expected a whole number from 1 to 500; got "${limit}"`,
  );
});

test.each<[string, number]>([
  ["4", 4],
  ["50%", 4],
  ["1%", 1],
  ["200%", 16],
  ["auto", 8],
])("-j %s of 8 cores is %d", (j, count) => {
  expect(read({ j }, (reader) => readConcurrency(reader, 8))).toBe(count);
});

test.each(["0", "-1", "10001", "0%", "many", "1.5"])("-j %s is refused in words", (j) => {
  expect(read({ j }, (reader) => readConcurrency(reader, 8))).toBe(
    `-j: expected a whole number from 1 to 10000, a share of the cores such as 50%, or auto; got "${j}"`,
  );
});

test.each(["30", "5 m", "soon", "0ms", "367d"])("--deadline %j is refused", (deadline) => {
  expect(read({ deadline }, (reader) => reader.durationMs("deadline"))).toContain("--deadline: ");
  expect(read({ deadline: "30s" }, (reader) => reader.durationMs("deadline"))).toBe(30_000);
});

test("all faults of a command line come together", () => {
  const told = read({ limit: "0", state: ["faild"], tag: "x" }, (reader) => {
    readPage(reader);
    readStates(reader, ["failed", "succeeded"]);
    readTag(reader);
  });

  expect(told).toBe(
    [
      "3 faults on the command line:",
      `  --limit: expected a whole number from 1 to 500; got "0"`,
      `  --state: expected failed, succeeded; got "faild" (did you mean "failed"?)`,
      `  --tag: expected key=value; got "x"`,
    ].join("\n"),
  );
});

test("--only, --until and --from exclude each other", () => {
  const told = read({ only: ["a"], from: "b" }, (reader) => readSelection(reader));

  expect(told).toBe("--from: cannot stand together with --only");
});

test("--since is a time ago or an ISO time", () => {
  const nowMs = Date.UTC(2026, 6, 14, 9);

  expect(read({ since: "2h" }, (reader) => readSince(reader, nowMs))).toBe(nowMs - 7_200_000);
  expect(read({ since: "2026-07-14T08:00:00Z" }, (reader) => readSince(reader, nowMs))).toBe(
    nowMs - 3_600_000,
  );
  expect(read({ since: "yesterday" }, (reader) => readSince(reader, nowMs))).toContain("--since: ");
});

test("a tag may hold further equals signs", () => {
  expect(read({ tag: "a=b=c" }, (reader) => readTag(reader))).toEqual(["a", "b=c"]);
});

test("a flag is shown as people write it", () => {
  expect([toFlag("onlyFailed"), toFlag("j")]).toEqual(["--only-failed", "-j"]);
});
