// Several runs of several workers ask for the keys of one resource, give back and lose their epochs, by a seed.

import assert from "node:assert/strict";
import type { RunRecord } from "../../../model/run.ts";
import { makeSeededRandom } from "../../../std/random.ts";
import type { Store } from "../../../storage/store.ts";
import { applyRun, claimRun, createRun } from "../fixture.ts";
import type { StoreBench } from "../suite.ts";
import { makeTerms, makeUse, release, releaseOf, returned, takeOf } from "./permit-fixture.ts";

/** Moves by a seed: after each, nobody's count is above a limit, and records say what is held. */
export async function hammer({ store, advance }: StoreBench, seed: number): Promise<void> {
  const dice = makeSeededRandom(seed);
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(dice.float() * list.length)];
    assert.ok(found !== undefined);
    return found;
  };
  const terms = makeTerms({ keyed: true, limit: 2, limits: { b: 1 } });
  const uses = ["a", "b", "c"].map((key) => makeUse(terms, { key }));
  const limits = new Map([
    ["a", 2],
    ["b", 1],
    ["c", 2],
  ]);
  const runs: RunRecord[] = [];
  for (let count = 0; count < 3; count += 1) runs.push(await applyRun(store, createRun()));
  for (let move = 0; move < 80; move += 1) {
    const place = Math.floor(dice.float() * runs.length);
    const run = runs[place] ?? assert.fail("no run");
    const item = pick(["x", "y", "z"]);
    const asked = uses.filter(() => dice.float() < 0.6);
    const chance = dice.float();
    if (chance < 0.05) runs[place] = await applyRun(store, claimRun(run));
    else if (chance < 0.35) {
      const back = ["a", "b", "c"].map((key) => returned({ key }));
      await release(store, releaseOf(run, item, ...back));
    } else if (asked.length > 0) {
      const worker = pick(["worker-1", "worker-2"]);
      const writes = [item, pick(["x", "y", "z"])].map((one) => ({
        ...takeOf(run, one, ...asked),
        worker,
      }));
      await store.apply(writes);
    }
    await advance(Math.floor(dice.float() * 200));
    await assertWithin(store, limits);
  }
}

async function assertWithin(store: Store, limits: ReadonlyMap<string, number>): Promise<void> {
  for (const { resource, key, held } of await store.listResources({ limit: 10 })) {
    const holders = await store.listHolders({ resource, key }, 100);
    assert.equal(holders.length, held);
    assert.ok(held <= (limits.get(key) ?? 0), `${held} hold "${key}"`);
  }
}
