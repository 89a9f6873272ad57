// What may be reported from outside, and that every fault is told at once.

import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isMillraceError } from "../../model/errors.ts";
import { parseReport } from "./parse-report.ts";

const NOW_MS = Date.UTC(2026, 6, 14, 9);
const GOOD = { name: "import.finished", source: "cron@host-1" };

function faultsOf(report: unknown): readonly string[] {
  try {
    parseReport(report, NOW_MS);
  } catch (error) {
    assert.ok(isMillraceError(error) && error.code === "EVENT_INVALID");
    const faults = error.details?.["faults"];
    assert.ok(Array.isArray(faults));
    return faults.map((fault) => String(Reflect.get(Object(fault), "path")));
  }
  return [];
}

test("R229: a time without a zone is UTC, one with a zone is brought to UTC, none is now", () => {
  const atOf = (at?: string): number =>
    parseReport(at === undefined ? GOOD : { ...GOOD, at }, NOW_MS).atMs;
  assert.equal(atOf(), NOW_MS);
  assert.equal(atOf("2026-07-14T08:31:07.41"), Date.UTC(2026, 6, 14, 8, 31, 7, 410));
  assert.equal(atOf("2026-07-14 08:31"), Date.UTC(2026, 6, 14, 8, 31));
  assert.equal(atOf("2026-07-14T08:31:07Z"), Date.UTC(2026, 6, 14, 8, 31, 7));
  assert.equal(atOf("2026-07-14T08:31:07+02:00"), Date.UTC(2026, 6, 14, 6, 31, 7));
  assert.equal(atOf("2026-07-13T20:31:07-0730"), Date.UTC(2026, 6, 14, 4, 1, 7));
  assert.equal(atOf("2026-07-14"), Date.UTC(2026, 6, 14));
});

test("times that no calendar has, or that lie before 1970 or far ahead, are refused", () => {
  for (const at of [
    "2026-02-30",
    "2026-07-14T24:00",
    "2026-07-14T09:60",
    "2026-13-01",
    "1969-12-31T23:59:59Z",
    "2026-07-16T10:00",
    "yesterday",
    "",
    "14.7.2026",
    "2026-07-14T09:00:00+99:00",
    `2026-07-14T09:00:00.${"0".repeat(100)}`,
  ])
    assert.deepEqual(faultsOf({ ...GOOD, at }), ["event.at"], at);
});

test("R228: what is no name of a run is refused before anything is looked up", () => {
  for (const run of [
    "../x",
    "..",
    "a/../b",
    "%2e%2e",
    "a\\b",
    "x".repeat(300),
    "",
    "a b",
    "last/1",
  ])
    assert.deepEqual(faultsOf({ ...GOOD, run }), ["event.run"], run);
  for (const run of ["7f3k", "1", "0194f3a0-0000-7000-8000-000000000000"])
    assert.equal(parseReport({ ...GOOD, run }, NOW_MS).run, run);
});

test("R227: every fault of a report is told at once", () => {
  const bad = {
    name: "Import Finished",
    at: "soon",
    message: 7,
    data: { when: new Date() },
    run: "../x",
    key: "a b",
    srouce: "x",
  };
  assert.deepEqual(faultsOf(bad).toSorted(), [
    "event.at",
    "event.data",
    "event.key",
    "event.message",
    "event.name",
    "event.run",
    "event.source",
    "event.srouce",
  ]);
  for (const name of ["imported", "import.", ".x", "a..b", "1.x", "import.Finished", "a.b c"])
    assert.deepEqual(faultsOf({ ...GOOD, name }), ["event.name"], name);
  assert.deepEqual(faultsOf({ ...GOOD, name: "x".repeat(101) }), ["event.name"]);
  for (const report of [null, 1, "x", [], new Map()]) assert.deepEqual(faultsOf(report), ["event"]);
});

test("data has a bound, and nothing of the sender's own object is kept", () => {
  const text = "x".repeat(16 * 1024 - '{"a":""}'.length);
  assert.equal(parseReport({ ...GOOD, data: { a: text } }, NOW_MS).data?.["a"], text);
  assert.deepEqual(faultsOf({ ...GOOD, data: { a: `${text}x` } }), ["event.data"]);
  const data = { list: [1, { deep: null }] };
  const kept = parseReport({ ...GOOD, data }, NOW_MS).data;
  assert.deepEqual(kept, data);
  assert.notEqual(kept, data);
  const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
  const read = parseReport({ ...GOOD, data: hostile }, NOW_MS).data;
  assert.equal(Reflect.get({}, "polluted"), undefined);
  assert.equal(read?.["a"], 1);
});

test("whatever is sent, it is read or refused, and never throws anything else", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.record({
          name: fc.anything(),
          source: fc.anything(),
          at: fc.anything(),
          run: fc.anything(),
          data: fc.anything(),
          key: fc.anything(),
        }),
      ),
      (report) => {
        try {
          parseReport(report, NOW_MS);
        } catch (error) {
          expect(error).toMatchObject({ code: "EVENT_INVALID" });
        }
      },
    ),
  );
});
