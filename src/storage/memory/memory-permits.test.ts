import { expect, test } from "vitest";
import { RESOURCE_IDLE_KEYS_MAX } from "../../model/limits.ts";
import {
  limitOf,
  makeTerms,
  makeUse,
  order,
  perSecond,
  releaseOf,
  returned,
  takeOf,
} from "../../testing/store-suite/permits/permit-fixture.ts";
import { releasePermits, takePermits } from "../permits/permit-rules.ts";
import { setResource } from "../permits/set-resource.ts";
import { MemoryPermits } from "./memory-permits.ts";

const NOW_MS = 1_800_000_000_000;
const OWNER = { run: 1, epoch: 1 };
const RUN = { id: "run", epoch: 1 };

/** Permits of one process, which has no leases, and what is done with them. */
class Bench {
  readonly permits: MemoryPermits = new MemoryPermits(null);
  nowMs: number = NOW_MS;

  take(item: string, key: string, terms: Parameters<typeof makeTerms>[0] = {}): string {
    const use = makeUse(makeTerms({ keyed: key !== "", ...terms }), { key });
    return takePermits(this.permits.open(this.nowMs), OWNER, takeOf(RUN, item, use)).result.kind;
  }

  release(item: string, key: string, pauseMs: number | null = null): void {
    const write = releaseOf(RUN, item, returned({ key, pauseMs }));
    releasePermits(this.permits.open(this.nowMs), OWNER, write);
  }

  /** Uses that many keys, one after the other. */
  pass(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.take("passing", `${index}`);
      this.release("passing", `${index}`);
    }
  }

  has(key: string): boolean {
    return this.permits.record({ resource: "api", key }, this.nowMs) !== undefined;
  }
}

test("where owners have no leases, nothing that is held is ever counted as lost", () => {
  const bench = new Bench();
  expect([bench.take("a", "", { limit: 1 }), bench.take("b", "", { limit: 1 })]).toEqual([
    "permitted",
    "held-back",
  ]);
});

test("R111: of 200,000 keys about 100,000 are kept, and every key that is in use, or not at rest", () => {
  const bench = new Bench();
  bench.take("held", "held");
  bench.take("waits", "full", { limit: 0 });
  bench.take("a", "paused");
  bench.release("a", "paused", 60_000);
  bench.take("a", "owing", { quotas: [perSecond(1, { perMs: 60_000 })] });
  bench.release("a", "owing");
  for (const [key, change] of [
    ["set", limitOf(3)],
    ["tripped", { kind: "trip", forMs: 60_000 }],
  ] as const)
    setResource(bench.permits.open(bench.nowMs), order(change, { key }));
  bench.take("a", "");
  bench.release("a", "");
  const kept = ["held", "full", "paused", "owing", "set", "tripped", ""];

  bench.pass(200_000);
  const size = bench.permits.list(bench.nowMs).length;
  expect(size).toBeGreaterThanOrEqual(RESOURCE_IDLE_KEYS_MAX);
  expect(size).toBeLessThanOrEqual(RESOURCE_IDLE_KEYS_MAX * 1.1 + 1);
  expect(kept.filter((key) => !bench.has(key))).toEqual([]);
  expect([bench.has("0"), bench.has("199999")]).toEqual([false, true]);
}, 60_000);
