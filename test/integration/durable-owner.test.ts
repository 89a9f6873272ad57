// Who works on a run: one process at a time, proven by real ones. A dead owner's run is taken at once, a hanging
// one's when its lease is over, and whoever lost a run changes nothing of it any more.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { isMillraceError } from "../../src/exports/index.ts";
import type { Millrace } from "../../src/exports/index.ts";
import { systemMachine, type Machine } from "../../src/std/machine.ts";
import { makeHostWorld } from "../support/durable/durable-host.ts";
import { makeWaiting } from "../support/durable/durable-process.ts";
import { makeDurableWorld, makeGate, makeDeadMachine } from "../support/durable/durable-world.ts";

const RACES = 20;

/** This machine, so much later by the clock that all its processes share. */
function later(ms: number): Machine {
  return {
    ...makeDeadMachine(),
    pid: systemMachine.pid,
    sharedMonotonicMs: () => systemMachine.sharedMonotonicMs() + ms,
  };
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isMillraceError(error), String(error));
    assert.equal(error.code, code);
    return true;
  };
}

async function readAll(mill: Millrace, run: string): Promise<unknown> {
  return {
    run: await mill.run(run),
    checkpoints: await mill.store.loadCheckpoints(run),
    events: await mill.store.listEvents({ runId: run, after: 0, limit: 1_000 }),
  };
}

describe("a run in the hands of another process", () => {
  test("is never taken while that lives, and at once when it is dead", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    host.tell({ kind: "start" });
    const { run } = await host.next("begun");

    const waiting = makeWaiting(hosts, () => {});
    const mill = await world.open([waiting]);
    await assert.rejects(mill.resume(run, { here: true }), (error) => {
      isCode("RUN_BUSY")(error);
      assert.ok(isMillraceError(error));
      assert.equal(error.details?.["pid"], host.pid);
      assert.match(error.message, new RegExp(`process ${host.pid} `));
      return true;
    });
    await assert.rejects(mill.resume(run), isCode("RUN_BUSY"));
    const before = await mill.run(run);
    assert.deepEqual([before.state, before.epoch], ["running", 1]);

    await host.die();
    hosts.openGate();
    const resumed = await mill.resume(run, { here: true });
    const result = await resumed.result();
    assert.equal(result.state, "succeeded");
    const record = await mill.run(run);
    assert.deepEqual([record.crashes, record.resumes, record.id], [1, 1, run]);
    const types = (await mill.store.listEvents({ runId: run, after: 0, limit: 100 })).map(
      ({ type, data }) => [type, data?.["reason"]],
    );
    assert.deepEqual(types.slice(0, 4), [
      ["run.created", undefined],
      ["run.started", undefined],
      ["run.interrupted", "its process is gone"],
      ["run.resumed", undefined],
    ]);
  });

  test("R195: waits as interrupted once the next process opens the store", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    host.tell({ kind: "start" });
    const { run } = await host.next("begun");
    await host.die();

    const mill = await world.open([]);
    const record = await mill.run(run);
    assert.deepEqual([record.state, record.reason, record.lease], ["waiting", "interrupted", null]);
  });

  test("goes to exactly one of two processes that resume it at the same time", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const [one, two] = await Promise.all([hosts.start(), hosts.start()]);
    const begun = makeGate();
    let left = RACES;
    const waiting = makeWaiting(hosts, () => {
      left -= 1;
      if (left === 0) begun.open();
    });
    const doomed = await world.openDoomed([waiting]);
    const runs: string[] = [];
    for (let race = 0; race < RACES; race += 1)
      runs.push((await doomed.start(waiting, undefined)).id);
    await begun.opened;
    // They all wait for the gate in a process that counts as dead; only what happens now goes on.
    const crashed = hosts.readEffects().length;
    assert.equal(crashed, RACES);

    const winners: number[] = [];
    for (const run of runs) {
      one.tell({ kind: "resume", run });
      two.tell({ kind: "resume", run });
      const outcomes = await Promise.all([one, two].map((host) => host.next("live", "refused")));
      const live = outcomes.filter(({ kind }) => kind === "live");
      assert.equal(live.length, 1, `run ${run}: ${JSON.stringify(outcomes)}`);
      const refused = outcomes.find((outcome) => outcome.kind === "refused");
      assert.equal(refused?.code, "RUN_BUSY");
      winners.push(outcomes[0]?.kind === "live" ? one.pid : two.pid);
    }
    const mill = await world.open([waiting]);
    for (const run of runs) {
      const record = await mill.run(run);
      assert.deepEqual([record.state, record.crashes], ["running", 1]);
    }
    assert.equal(hosts.readEffects().length, 2 * RACES);
    assert.equal(winners.length, RACES);
  });
});

describe("an owner that lost its run", () => {
  test("is told LEASE_LOST, and what it still writes changes nothing", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const begun = makeGate();
    const waiting = makeWaiting(hosts, () => begun.open());
    const doomed = await world.openDoomed([waiting]);
    const zombie = await doomed.start(waiting, undefined);
    await begun.opened;

    const mill = await world.open([waiting]);
    const resumed = await mill.resume(zombie.id, { here: true });
    hosts.openGate();
    await resumed.result();
    const after = await readAll(mill, zombie.id);
    await assert.rejects(zombie.result(), isCode("LEASE_LOST"));
    await doomed.close();

    assert.deepEqual(await readAll(mill, zombie.id), after);
    assert.equal((await mill.result(zombie.id)).state, "succeeded");
    // Its first stage was done twice, and nothing that follows from it.
    const effects = hosts.readEffects().map((line) => line.split(" ")[0]);
    assert.equal(effects.filter((what) => what === "after").length, 1);
  });

  test("cannot slip a checkpoint in while another takes its run over", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const begun = makeGate();
    const waiting = makeWaiting(hosts, () => begun.open());
    // Open already, so that nothing has been looked at yet.
    const mill = await world.open([waiting]);
    const doomed = await world.openDoomed([waiting]);
    const zombie = await doomed.start(waiting, undefined);
    await begun.opened;
    // It wakes up at the worst moment: as its checkpoints are read.
    const load = mill.store.loadCheckpoints.bind(mill.store);
    mill.store.loadCheckpoints = async (id) => {
      const found = await load(id);
      hosts.openGate();
      await zombie.result().catch(() => undefined);
      return found;
    };
    const result = await (await mill.resume(zombie.id, { here: true })).result();

    assert.equal(result.state, "succeeded");
    await assert.rejects(zombie.result(), isCode("LEASE_LOST"));
    const ends = (await mill.store.listEvents({ runId: zombie.id, after: 0, limit: 100 })).filter(
      ({ type, stage }) => type === "stage.succeeded" && stage === "wait",
    );
    assert.equal(ends.length, 1);
  });

  test("notices at its next beat, and aborts what it runs", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const begun = makeGate();
    const waiting = makeWaiting(hosts, () => begun.open());
    const doomed = await world.openDoomed([waiting]);
    const zombie = await doomed.start(waiting, undefined);
    await begun.opened;
    const mill = await world.open([waiting]);

    // Nobody resumes it: its epoch alone has moved on.
    assert.equal((await mill.run(zombie.id)).state, "waiting");
    await assert.rejects(zombie.result(), isCode("LEASE_LOST"));
    assert.equal((await mill.run(zombie.id)).state, "waiting");
  });

  test("also when it was stopped, its lease ran out, and it goes on later", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    host.tell({ kind: "start" });
    const { run } = await host.next("begun");
    host.signal("SIGSTOP");

    const waiting = makeWaiting(hosts, () => {});
    const soon = await world.open([waiting], { machine: later(25_000) });
    await assert.rejects(soon.resume(run, { here: true }), isCode("RUN_BUSY"));
    const late = await world.open([waiting], { machine: later(32_000) });
    assert.equal(
      (await late.run(run)).state,
      "running",
      "opening takes no run from a process that lives",
    );
    const resumed = await late.resume(run, { here: true });
    hosts.openGate();
    assert.equal((await resumed.result()).state, "succeeded");
    const after = await readAll(late, run);

    host.signal("SIGCONT");
    assert.equal((await host.next("refused")).code, "LEASE_LOST");
    assert.deepEqual(await readAll(late, run), after);
    const effects = hosts.readEffects();
    assert.deepEqual(
      effects.filter((line) => line.startsWith("after")),
      [`after ${run} ${process.pid}`],
    );
  });

  test("keeps its run when it was stopped and nobody took it", async () => {
    const world = makeDurableWorld();
    const hosts = makeHostWorld(world);
    const host = await hosts.start();
    host.tell({ kind: "start" });
    const { run } = await host.next("begun");
    host.signal("SIGSTOP");
    hosts.openGate();
    host.signal("SIGCONT");
    assert.equal((await host.next("ended")).state, "succeeded");
    const mill = await world.open([]);
    assert.deepEqual([(await mill.run(run)).epoch, (await mill.run(run)).crashes], [1, 0]);
  });
});
