import { expect, test } from "vitest";
import { makePaint } from "../color.ts";
import { plainLook, type Look } from "../look.ts";
import { alphabetOf } from "../marks.ts";
import { textWidth } from "../width.ts";
import { renderClosing } from "./closing-lines.ts";
import type { Closing } from "./closing.ts";
import { findResultPaths } from "./result-paths.ts";
import { previewValue } from "./value-preview.ts";

const NONE = {
  total: 0,
  pending: 0,
  running: 0,
  waiting: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
  upstream_failed: 0,
};

/** The closing of the documents. */
const CRAWL: Closing = {
  run: "7f3k",
  pipeline: "crawl",
  state: "failed",
  reason: undefined,
  durationMs: 3_012_000,
  workMs: 180_600_000,
  warnings: 0,
  stages: { ...NONE, total: 5, succeeded: 3, failed: 1, upstream_failed: 1 },
  items: { ...NONE, total: 10_000, succeeded: 9_961, failed: 39 },
  retried: 412,
  kept: { stages: 0, items: 0 },
  cache: undefined,
  waited: [
    ["quota", 57_000_000],
    ["retry", 7_800_000],
  ],
  slowest: [
    { stage: "score", durationMs: 2_840_000, p50Ms: 18_000, p95Ms: 41_000 },
    { stage: "parse", durationMs: 2_400 },
  ],
  failures: [
    {
      stage: "score",
      class: "server",
      message: "HTTP 502 from scorer",
      firstItem: "row-10231",
      attempts: 3,
      count: 39,
    },
  ],
  otherFailures: 0,
  outputs: [],
  results: [],
  next: [
    { command: "npx millrace resume 7f3k", purpose: "redo the 39, keep the rest" },
    { command: "npx millrace why 7f3k/score/row-10231", purpose: "what happened to the first" },
  ],
};

const PIPE = plainLook(alphabetOf("unicode"));

function terminal(columns: number): Look {
  return { ...PIPE, columnsMax: columns, isTerminal: true };
}

test("the closing block of the documents", () => {
  expect(renderClosing(CRAWL, terminal(100))).toMatchInlineSnapshot(`
    [
      "◆ failed  crawl 7f3k in 50m 12s         work 2d 2h, 60 slots busy on average",
      "  Stages    3 succeeded, 1 failed, 1 upstream failed",
      "  Items     10,000: 9,961 succeeded (412 after a retry), 39 failed",
      "  Waited    26% of item time: quota 23%, retry 3%",
      "  Slowest   score 47m 20s (p50 18 s, p95 41 s) · parse 2.4 s",
      "  Failures  39  score  HTTP 502 from scorer (server, 3 attempts)   first row-10231",
      "  Next      npx millrace resume 7f3k                redo the 39, keep the rest",
      "            npx millrace why 7f3k/score/row-10231   what happened to the first",
    ]
  `);
});

test("a quiet success says little, and leaves out what it has nothing to say about", () => {
  const closing: Closing = {
    ...CRAWL,
    state: "succeeded",
    durationMs: 250,
    workMs: 240,
    stages: { ...NONE, total: 1, succeeded: 1 },
    items: NONE,
    waited: [],
    slowest: [{ stage: "hello", durationMs: 240 }],
    failures: [],
    outputs: [{ name: "hello", text: '"hello"' }],
    results: ["out/report.html"],
    next: [{ command: "npx millrace show 1", purpose: "" }],
  };
  expect(renderClosing(closing, PIPE)).toEqual([
    "✓ succeeded  crawl 7f3k in 250 ms",
    "  Stages    1 succeeded",
    '  Outputs   hello  "hello"',
    "  Results   out/report.html",
    "  Next      npx millrace show 1",
  ]);
});

test("warnings, what was kept and what was cached are said", () => {
  const cache = { items: 5, stages: 1, changed: 2, added: 0, isAll: false };
  const text = renderClosing(
    { ...CRAWL, warnings: 2, kept: { stages: 3, items: 9_961 }, cache },
    PIPE,
  ).join("\n");
  expect(text).toContain("▲ 2 warnings");
  expect(text).toContain("Kept      3 stages and 9,961 items from checkpoints");
  expect(text).toContain("Cache     5 items and 1 stage unchanged, 2 changed, 0 added");
});

test("R269: nothing to do is said with its counts", () => {
  const cache = { items: 8, stages: 0, changed: 0, added: 0, isAll: true };
  const lines = renderClosing({ ...CRAWL, state: "succeeded", cache }, PIPE);
  expect(lines).toContain("  Cache     nothing to do: 8 items unchanged, 0 changed, 0 added");
});

test("a wait under one in a hundred is not worth a line", () => {
  const lines = renderClosing({ ...CRAWL, waited: [["retry", 100_000]] }, PIPE);
  expect(lines.some((line) => line.includes("Waited"))).toBe(false);
});

test.each([60, 80, 100])("at %d columns nothing is wider but verdict and commands", (columns) => {
  const closing: Closing = {
    ...CRAWL,
    failures: CRAWL.failures.map((failure) => ({ ...failure, message: "word ".repeat(90) })),
    outputs: [{ name: "saved", text: "y".repeat(200) }],
  };
  const lines = renderClosing(closing, terminal(columns));
  const cut = lines.filter(
    (line) => !line.includes("npx millrace") && !/^(?:◆| {2}Items)/.test(line),
  );
  for (const line of cut) expect(textWidth(line)).toBeLessThanOrEqual(columns);
  expect(lines.join("\n")).toContain("npx millrace why 7f3k/score/row-10231");
});

test("a message that does not fit beside its stage is wrapped below, at most four lines of it", () => {
  const failures = CRAWL.failures.map((failure) => ({ ...failure, message: "word ".repeat(90) }));
  const lines = renderClosing({ ...CRAWL, failures }, terminal(62));
  const at = lines.findIndex((line) => line.includes("Failures"));
  const words = "word word word word word word word word word";
  expect(lines.slice(at, at + 6)).toEqual([
    "  Failures  39  score (server, 3 attempts)   first row-10231",
    `              ${words}`,
    `              ${words}`,
    `              ${words}`,
    `              ${words}`,
    "              …",
  ]);
});

test("room for a message is made by leaving out what is said elsewhere", () => {
  const at = (columns: number): string | undefined =>
    renderClosing(CRAWL, terminal(columns)).find((line) => line.includes("Failures"));
  expect(at(100)).toBe(
    "  Failures  39  score  HTTP 502 from scorer (server, 3 attempts)   first row-10231",
  );
  expect(at(72)).toBe("  Failures  39  score  HTTP 502 from scorer (server)   first row-10231");
  expect(at(60)).toBe("  Failures  39  score  HTTP 502 from scorer (server)");
});

test("more than five kinds of failure are summed up", () => {
  const failures = Array.from({ length: 9 }, (_, index) => ({
    stage: "score",
    class: "server",
    message: `kind ${index}`,
    firstItem: undefined,
    attempts: 1,
    count: 2,
  }));
  const lines = renderClosing({ ...CRAWL, failures, otherFailures: 3 }, PIPE);
  expect(lines).toContain("            11 more of other kinds");
});

test("text of user code never reaches the terminal raw", () => {
  const failures = CRAWL.failures.map((failure) => ({
    ...failure,
    message: "a\u001b[2J\nb",
    firstItem: "k\u0007",
  }));
  const text = renderClosing({ ...CRAWL, failures, reason: "\u001b]0;x" }, PIPE).join("\n");
  expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

test("colour adds nothing but colour", () => {
  const painted = renderClosing(CRAWL, { ...PIPE, paint: makePaint(true) });
  const plain = renderClosing(CRAWL, PIPE);
  expect(painted.map(textWidth)).toEqual(plain.map(textWidth));
});

test.each([
  ["text", '"text"'],
  [3, "3"],
  [12n, "12"],
  [null, "null"],
  [true, "true"],
  [[1, 2, 3], "[1,2,3]"],
  [{ a: 1, b: ["x"] }, '{"a":1,"b":["x"]}'],
  [new Date(0), "1970-01-01T00:00:00.000Z"],
  ["x".repeat(500), "text of 500 characters"],
  [Array.from({ length: 10_000 }, () => 1), "list of 10,000 entries"],
  [new Map([[1, 2]]), "map of 1 entry"],
  [new Set([1, 2]), "set of 2 entries"],
  [new Uint8Array(2_000), "2 KB of bytes"],
  [new Error("no\u001b"), String.raw`error "no\\x1b"`],
  [
    Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`field${index}`, index])),
    'record with "field0", "field1", "field2", "field3" and "field4" and 25 more',
  ],
  [() => 1, "a value of type function"],
  [{ at: new Date(0) }, 'record with "at"'],
])("%o is previewed as %s", (value, text) => {
  expect(previewValue(value)).toBe(text);
});

test("paths in outputs are found where something is there, each once", () => {
  const there = new Set(["out/report.html", "out", "a.txt", "word"]);
  const exists = (path: string): boolean => there.has(path);
  expect(findResultPaths("out/report.html", exists)).toEqual(["out/report.html"]);
  expect(
    findResultPaths({ report: "a.txt", copy: "a.txt", count: 3, gone: "b.txt" }, exists),
  ).toEqual(["a.txt"]);
  expect(findResultPaths("word", exists)).toEqual([]);
  expect(findResultPaths(`a.txt${"\0"}`, () => true)).toEqual([]);
  expect(findResultPaths(null, exists)).toEqual([]);
});
