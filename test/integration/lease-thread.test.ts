// Leases of real processes whose main loop is blocked, on shortened terms: one that will come back keeps its run,
// one that is dead does not.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, onTestFinished, test } from "vitest";
import { openMillrace } from "../../src/service/millrace.ts";
import type { LeaseTerms } from "../../src/model/lease.ts";
import { systemClock } from "../../src/std/clock.ts";
import { makeHolding, type Holding } from "../support/blocking-process.ts";
import { makeDurableWorld, type DurableWorld } from "../support/durable/durable-world.ts";
import { programWords } from "../support/suite-package.ts";

const PROGRAM = join(import.meta.dirname, "../support/blocking-process.ts");

/** A twentieth of the terms where nothing is said. */
const TERMS: LeaseTerms = {
  leaseMs: 1_500,
  heartbeatMs: 250,
  misses: 2,
  callMs: 250,
  pauseMs: 500,
  stopMs: 250,
  graceMs: 50,
  presenceMs: 50,
  loopSilenceMs: 750,
  deadlineGraceMs: 500,
  threadAfterMs: 250,
};

interface Ended {
  readonly counts: Readonly<Record<string, number>>;
  readonly left: readonly string[];
}

interface Played {
  readonly holding: Holding;
  readonly run: string;
  readonly holder: number;
  /** What the process said when it ended by itself. */
  readonly ended: Promise<Ended>;
}

async function play(
  world: DurableWorld,
  how: Pick<Holding, "holdMs" | "way"> & { readonly loopSilenceMs: number },
): Promise<Played> {
  const lease = { ...TERMS, loopSilenceMs: how.loopSilenceMs };
  const { holdMs, way } = how;
  const holding = { store: world.url, mark: join(world.folder, "mark"), holdMs, way, lease };
  const waiting = makeHolding(holding);
  const mill = await world.open([waiting], { lease });
  const { runs } = await mill.enqueue(waiting, [{ input: undefined }]);
  const child = spawn(process.execPath, [...programWords(PROGRAM), JSON.stringify(holding)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = text(child.stdout).then((said) => JSON.parse(said) as Ended);
  while (!existsSync(holding.mark)) await systemClock.sleep(10);
  assert.ok(child.pid !== undefined);
  return { holding, run: runs[0]?.run.id ?? "", holder: child.pid, ended };
}

describe("a run whose process blocks its main loop", () => {
  test("R164: keeps its lease for many times its length while that loop may come back", async () => {
    const world = makeDurableWorld();
    const { holding, run, holder, ended } = await play(world, {
      holdMs: 5_000,
      way: "block",
      loopSilenceMs: 60_000,
    });
    const other = await world.open([makeHolding(holding)], { lease: holding.lease });
    const work = await other.work({ drain: true });
    assert.deepEqual(work.counts, {});
    const record = await other.run(run);
    assert.deepEqual([record.state, record.epoch, record.crashes], ["succeeded", 1, 0]);
    assert.deepEqual((await other.result(run)).outputs, { hold: holder });
    assert.deepEqual(await ended, { counts: { succeeded: 1 }, left: [] });
  });

  test("R164: loses it once that loop is dead, and another worker takes the run", async () => {
    const world = makeDurableWorld();
    const { holding, run, holder, ended } = await play(world, {
      holdMs: 6_000,
      way: "block",
      loopSilenceMs: TERMS.loopSilenceMs,
    });
    const other = await world.open([makeHolding(holding)], { lease: holding.lease });
    const work = await other.work({ drain: true });
    assert.deepEqual(work.counts, { succeeded: 1 });
    const taken = await other.run(run);
    assert.deepEqual([taken.state, taken.epoch, taken.crashes], ["succeeded", 3, 1]);
    assert.deepEqual((await other.result(run)).outputs, { hold: process.pid });
    assert.notEqual(process.pid, holder);
    // It comes back to life as one that has lost its run, and changes nothing of it.
    assert.deepEqual(await ended, { counts: { returned: 1 }, left: [] });
    assert.deepEqual(await other.run(run), taken);
  });
});

test("R210: a run longer than many leases is never taken over", async () => {
  const world = makeDurableWorld();
  const { holding, run, holder, ended } = await play(world, {
    holdMs: 6 * TERMS.leaseMs,
    way: "wait",
    loopSilenceMs: TERMS.loopSilenceMs,
  });
  const other = await world.open([makeHolding(holding)], { lease: holding.lease });
  assert.deepEqual((await other.work({ drain: true })).counts, {});
  const record = await other.run(run);
  assert.deepEqual([record.state, record.epoch, record.crashes], ["succeeded", 1, 0]);
  assert.deepEqual((await other.result(run)).outputs, { hold: holder });
  await ended;
});

test("R163: terms that a healthy process could not keep open no store", async () => {
  const world = makeDurableWorld();
  await assert.rejects(
    openMillrace({ store: world.url, lease: { heartbeatMs: 10_100 } }),
    /30000 < 3 · 10100 \+ 5000 \+ 10000/,
  );
  assert.equal(existsSync(world.path), false);
});
