import { describe, test } from "vitest";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import type { StoreBench } from "../../testing/store-suite/suite.ts";
import { storeSuite } from "../../testing/store-suite/store-suite.ts";
import { MemoryStore } from "./memory-store.ts";

async function make(): Promise<StoreBench> {
  const clock = makeVirtualClock();
  return {
    store: new MemoryStore({ clock }),
    open: () => Promise.reject(new Error("A memory store is not shared.")),
    advance: (ms) => clock.advance(ms),
  };
}

const { capabilities } = new MemoryStore({ clock: makeVirtualClock() });

for (const { name, cases } of storeSuite) {
  describe(`memory store: ${name}`, () => {
    for (const one of cases) {
      test.skipIf(one.needs?.(capabilities) === false)(one.name, () => one.run(make));
    }
  });
}
