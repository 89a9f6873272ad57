import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import type { CacheEntry } from "../model/cache.ts";
import { encodeValue } from "../std/value.ts";
import { judgeEntry, sealEntry } from "./cache-entry.ts";

const ONE = encodeValue(1);
if (!ONE.ok) throw new Error("1 cannot be encoded");
const VALUE = ONE.value;

function makeEntry(change: Partial<CacheEntry> = {}): CacheEntry {
  const facts = {
    key: "k",
    item: null,
    components: {
      format: 1,
      pipeline: "p",
      stage: "a",
      version: null,
      cacheVersion: null,
      code: "c",
      key: null,
      needs: {},
      item: null,
      environment: {},
    },
    outputVersion: "v",
    state: [{ key: "s", stage: "a", value: VALUE }],
    metrics: { m: { absolute: false, value: 2 } },
  } as const;
  const output = { kind: "inline", text: VALUE } as const;
  const times = { run: 1, madeAtMs: 1_000, expiresAtMs: null, reason: null };
  return { ...facts, ...times, output, seal: sealEntry(facts), ...change };
}

const ASKED = { key: "k", ttlMs: null, nowMs: 2_000 };

test("an entry that is as it was sealed is fresh, for as long as nobody limits its age", () => {
  expect(judgeEntry(makeEntry(), ASKED)).toBe("fresh");
  expect(judgeEntry(makeEntry(), { ...ASKED, nowMs: Number.MAX_SAFE_INTEGER })).toBe("fresh");
});

test.each<readonly [string, Partial<CacheEntry>]>([
  ["key", { key: "other" }],
  ["item", { item: "row" }],
  ["components", { components: { ...makeEntry().components, code: "d" } }],
  ["output version", { outputVersion: "w" }],
  ["state", { state: [] }],
  ["metrics", { metrics: {} }],
  ["seal", { seal: "" }],
])("R271: an entry with another %s is damaged", (_what, change) => {
  expect(judgeEntry(makeEntry(change), ASKED)).toBe("damaged");
});

test("R271: what no row of ours holds is damaged, and throws nothing", () => {
  const odd: unknown = { ...makeEntry(), metrics: new Map([["a", undefined]]) };
  expect(judgeEntry(odd as CacheEntry, ASKED)).toBe("damaged");
});

test.prop([fc.nat(5_000), fc.option(fc.nat(5_000)), fc.option(fc.nat(5_000))])(
  "the shorter of the ttl it was made with and the present one decides, to the ms",
  (age, own, present) => {
    const entry = makeEntry({ expiresAtMs: own === null ? null : 1_000 + own });
    const verdict = judgeEntry(entry, { key: "k", ttlMs: present, nowMs: 1_000 + age });
    const shorter = Math.min(own ?? Infinity, present ?? Infinity);
    expect(verdict).toBe(age >= shorter ? "expired" : "fresh");
  },
);
