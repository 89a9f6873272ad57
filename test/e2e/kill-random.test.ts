// A hundred kills at random moments. The seed is the day's own unless KILL_SEED gives one; a failure names it.

import assert from "node:assert/strict";
import { test } from "vitest";
import { commandOf, killAtRandom } from "./kill/programme.ts";

const KILLS = 100;

test(
  "R255 R259: after a hundred kills at random moments every run has its outputs, and nothing that was committed was done again",
  { timeout: 120_000 },
  async () => {
    const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 1_000_000));
    const halves = [seed, seed + 1].map((one) => killAtRandom({ kills: KILLS / 2, seed: one }));
    const settled = await Promise.allSettled(halves);
    for (const [index, one] of settled.entries()) {
      if (one.status === "fulfilled") continue;
      const command = commandOf({ kills: KILLS / 2, seed: seed + index });
      throw new Error(`To repeat it: ${command}`, { cause: one.reason });
    }
    const verdicts = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    console.log("random kills", seed, verdicts);
    assert.equal(
      verdicts.reduce((sum, { deaths }) => sum + deaths, 0),
      KILLS,
    );
  },
);
