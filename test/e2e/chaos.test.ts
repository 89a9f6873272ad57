// The chaos programme in short: some write calls of a process, three frozen workers, a busy store, some power cuts,
// some flipped bytes. `npm run chaos` does it for as long as one likes. The seed is the day's own unless CHAOS_SEED
// gives one; a failure names it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { busy } from "../chaos/busy.ts";
import { flips } from "../chaos/flips.ts";
import { power } from "../chaos/power.ts";
import { addTally, type Suite, type Tally } from "../chaos/suite.ts";
import { sweep } from "../chaos/sweep.ts";
import { zombie } from "../chaos/zombie.ts";

const seed = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 100_000));

/** Some trials of a suite; skipped, with the reason, where the machine lacks something, but never in CI. */
async function tryOut(suite: Suite, count: number, skip: (reason: string) => void): Promise<Tally> {
  const lacks = suite.missing();
  if (lacks !== null && process.env["CI"] === undefined) skip(lacks);
  assert.equal(lacks, null);
  const folder = mkdtempSync(join(tmpdir(), `millrace-chaos-${suite.name}-`));
  let sum: Tally = {};
  for (const trial of await suite.prepare({ seed, count, folder, isFresh: true })) {
    try {
      sum = addTally(sum, await trial.run());
    } catch (error) {
      const again = `npm run chaos -- ${suite.name} --seed ${seed} --count ${count} --only "${trial.name}"`;
      throw new Error(`"${trial.name}" left its files in ${folder}. To repeat it: ${again}`, {
        cause: error,
      });
    }
  }
  rmSync(folder, { recursive: true, force: true });
  console.log(suite.name, seed, sum);
  return sum;
}

describe("the queue", () => {
  test("R255: loses no run to a process that dies, or meets a fault, at a call that writes", async ({
    skip,
  }) => {
    const met = await tryOut(sweep, 8, skip);
    assert.ok((met["killed"] ?? 0) > 3, JSON.stringify(met));
  });

  test("R166 R208: refuses what a frozen worker writes after others have taken its runs", async ({
    skip,
  }) => {
    const met = await tryOut(zombie, 3, skip);
    assert.equal(met["zombies"], 3, JSON.stringify(met));
  });

  test("fails no run because somebody else holds the store", async ({ skip }) => {
    const met = await tryOut(busy, 1, skip);
    assert.ok((met["disturbances"] ?? 0) >= 1, JSON.stringify(met));
  });

  test("has everything that was acknowledged on a disk that lost its power", async ({ skip }) => {
    const met = await tryOut(power, 20, skip);
    assert.equal(met["images"], 20);
  });

  test("never takes a damaged store's wrong result for a success", async ({ skip }) => {
    const met = await tryOut(flips, 1, skip);
    assert.equal(met["copies"], 25);
  });
});
