import fc from "fast-check";
import { expect, test } from "vitest";
import { GATE_KINDS, parseGateBlocker, waitCause, writeGateBlocker } from "./gate-wait.ts";

test("a gate is one text with its kind, its resource and its key", () => {
  expect(writeGateBlocker({ kind: "limit", resource: "api", key: null })).toBe("limit:api");
  const keyed = { kind: "breaker", resource: "host", key: "example.com:8080/a b" } as const;
  expect(writeGateBlocker(keyed)).toBe("breaker:host/example.com:8080/a b");
  expect(parseGateBlocker("breaker:host/example.com:8080/a b")).toEqual(keyed);
  expect(waitCause(keyed)).toBe("breaker:host");
});

test("what is no gate is not read as one", () => {
  for (const text of [null, "", "retry", "limit", "limit:", "due:api", "quota:/key"])
    expect(parseGateBlocker(text)).toBeNull();
});

test("whatever is written is read back", () => {
  const blocker = fc.record({
    kind: fc.constantFrom(...GATE_KINDS),
    resource: fc.string({ minLength: 1 }).filter((name) => !name.includes("/")),
    key: fc.option(fc.string({ minLength: 1 })),
  });
  fc.assert(
    fc.property(blocker, (given) => {
      expect(parseGateBlocker(writeGateBlocker(given))).toEqual(given);
    }),
  );
});
