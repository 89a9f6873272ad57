import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RESOURCE_IDLE_KEYS_MAX } from "../../model/limits.ts";
import { IdleKeys } from "./idle-keys.ts";

interface Counted {
  readonly key: string;
  uses: number;
}

function keysOf(idleMax: number): IdleKeys<Counted> {
  return new IdleKeys({ make: (key) => ({ key, uses: 0 }), idleMax });
}

/** Bytes in use after everything that is garbage has gone. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed;
}

test("the key that nobody used for longest is forgotten first", () => {
  const keys = keysOf(2);
  keys.get("a").uses = 1;
  keys.get("b").uses = 1;
  keys.get("a");
  keys.get("c");
  expect(["a", "b", "c"].map((key) => keys.find(key)?.uses)).toEqual([1, undefined, 0]);
  expect([keys.size, keys.idle]).toEqual([2, 2]);
});

test("a pinned key stays until its last pin is gone, and is the youngest then", () => {
  const keys = keysOf(1);
  keys.pin("a").uses = 7;
  keys.pin("a");
  keys.get("b");
  keys.get("c");
  keys.unpin("a");
  expect([keys.find("a")?.uses, keys.get("a").uses, keys.idle]).toEqual([7, 7, 1]);
  keys.unpin("a");
  expect([keys.find("a")?.uses, keys.find("c"), keys.size]).toEqual([7, undefined, 1]);
});

test("with no room for idle keys only pinned ones are kept", () => {
  const keys = keysOf(0);
  keys.get("a");
  keys.pin("b");
  expect([keys.find("a"), keys.size]).toEqual([undefined, 1]);
  keys.unpin("b");
  expect(keys.size).toBe(0);
});

test("a pin that was not set cannot be taken back", () => {
  const keys = keysOf(1);
  expect(() => keys.unpin("a")).toThrow('Key "a" was unpinned but not pinned.');
  keys.get("a");
  expect(() => keys.unpin("a")).toThrow('Key "a" was unpinned but not pinned.');
});

test("keys are kept as by a list in order of use, for any sequence of calls", () => {
  const call = fc.record({
    kind: fc.constantFrom("get", "find", "pin", "unpin"),
    key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  });
  const check = fc.property(
    fc.nat(4),
    fc.array(call, { maxLength: 80, size: "max" }),
    (idleMax, calls) => {
      const keys = keysOf(idleMax);
      const pins = new Map<string, number>();
      let idle: string[] = [];
      for (const { kind, key } of calls) {
        const pinned = pins.get(key) ?? 0;
        if (kind === "find")
          expect(keys.find(key) !== undefined).toBe(pinned > 0 || idle.includes(key));
        else if (kind === "unpin" && pinned === 0) continue;
        else {
          keys[kind](key);
          const now = pinned + (kind === "pin" ? 1 : kind === "unpin" ? -1 : 0);
          pins.set(key, now);
          idle = idle.filter((other) => other !== key);
          if (now === 0) idle = [...idle, key].slice(-idleMax || idle.length + 1);
        }
        const kept = [...pins].filter(([, count]) => count > 0).map(([name]) => name);
        expect([keys.idle, keys.size]).toEqual([idle.length, idle.length + kept.length]);
        for (const name of [...idle, ...kept]) expect(keys.find(name)?.key).toBe(name);
      }
    },
  );
  fc.assert(check, { numRuns: 100 });
});

test("S39: 200,000 keys leave 100,000 that are idle, in less than 60 MB, and all that are in use", () => {
  const keys = new IdleKeys({ make: () => ({ running: 0, failed: 0 }) });
  const before = heapBytes();
  for (let at = 0; at < 1_000; at += 1) keys.pin(`host-${at}.example.com`);
  for (let at = 1_000; at < 101_000; at += 1) keys.get(`host-${at}.example.com`);
  const full = heapBytes() - before;
  for (let at = 101_000; at < 201_000; at += 1) keys.get(`host-${at}.example.com`);
  const later = heapBytes() - before;
  expect([keys.idle, keys.size]).toEqual([RESOURCE_IDLE_KEYS_MAX, RESOURCE_IDLE_KEYS_MAX + 1_000]);
  expect(keys.find("host-0.example.com")).toBeDefined();
  expect(keys.find("host-999.example.com")).toBeDefined();
  expect(keys.find("host-1000.example.com")).toBeUndefined();
  expect(full).toBeLessThan(60_000_000);
  expect(later).toBeLessThan(full * 1.2);
}, 30_000);
