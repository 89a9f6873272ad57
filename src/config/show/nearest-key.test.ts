import { expect, test } from "vitest";
import { findNearestKey } from "./nearest-key.ts";

const KEYS = [
  "store",
  "events",
  "worker.lease",
  "worker.stopAfter",
  "watchdog.every",
  "server.port",
];

test.each([
  ["worker.leas", "worker.lease"],
  ["lease", "worker.lease"],
  ["Lease", "worker.lease"],
  ["stop-after", "worker.stopAfter"],
  ["server.lease", "worker.lease"],
  ["health.evry", "watchdog.every"],
  ["watchdg", "watchdog"],
  ["event", "events"],
  ["every", "watchdog.every"],
])("who writes %s means %s", (given, meant) => {
  expect(findNearestKey(given, KEYS)).toBe(meant);
});

test("what is near to nothing has no suggestion", () => {
  expect(findNearestKey("colour", KEYS)).toBeUndefined();
  expect(findNearestKey("", KEYS)).toBeUndefined();
});
