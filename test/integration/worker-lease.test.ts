// Whose a claimed run is: who was taken for dead changes nothing any more, an impossible lease holds nothing, a living
// one is never robbed, and a definition that has changed meanwhile is what counts.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { isMillraceError, pipeline, stage } from "../../src/exports/index.ts";
import type { Pipeline } from "../../src/exports/index.ts";
import { crash, enqueueOne, makeThree, setScene, type Scene } from "../support/crash-scene.ts";
import { makeGate } from "../support/durable/durable-world.ts";
import { readAll, readEvents } from "../support/queue-world.ts";

describe("a worker that was taken for dead", () => {
  test("R166 R208: is told LEASE_LOST, goes on with other runs, and changes nothing", async () => {
    const scene = setScene();
    const three = makeThree(scene);
    const id = await enqueueOne(scene, three, 1);
    scene.life.isDoomed = true;
    const zombie = await scene.world.openDoomed([three]);
    const ends: unknown[] = [];
    const control = new AbortController();
    const working = zombie.work({
      concurrency: 1,
      signal: control.signal,
      onRun: (run) => {
        run.result().then(
          () => ends.push("result"),
          (error: unknown) => ends.push(isMillraceError(error) ? error.code : error),
        );
      },
    });
    await scene.trapped();
    scene.life.isDoomed = false;
    const mill = await scene.world.open([three]);
    await mill.work({ drain: true });
    const after = await readAll(mill, id);
    expect((await mill.run(id)).state).toBe("succeeded");

    scene.release();
    while (ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(ends).toEqual(["LEASE_LOST"]);
    expect(await readAll(mill, id)).toEqual(after);
    // It lost a run, and not its senses.
    const done = makeGate();
    const { runs } = await zombie.enqueue(three, [{ input: 5 }]);
    const poll = async (): Promise<void> => {
      while ((await mill.run(runs[0]?.run.id ?? "")).state !== "succeeded")
        await new Promise((resolve) => setTimeout(resolve, 2));
      done.open();
    };
    await Promise.all([poll(), done.opened]);
    control.abort();
    await working;
  });
});

describe("a lease that nobody can have written", () => {
  async function strand(change: string) {
    const scene = setScene();
    const three = makeThree(scene);
    const id = await enqueueOne(scene, three, 1);
    await crash(scene, [three]);
    const raw = scene.world.raw();
    raw.exec("UPDATE runs SET lease_host = 'another'");
    raw.exec(`UPDATE runs SET ${change}`);
    raw.close();
    const mill = await scene.world.open([three]);
    return { mill, id };
  }

  test("R209: one that ends further away than a lease is long counts as over, and an event tells", async () => {
    const { mill, id } = await strand("lease_expires_at_ms = lease_expires_at_ms + 86400000");
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    const types = (await readEvents(mill, id)).map(({ type }) => type);
    expect(types).toContain("run.reclaimed");
  });

  test("R209: one that has no owner counts as over, and an event tells", async () => {
    // The table refuses a running run without any lease.
    await assert.rejects(strand("lease_worker = NULL"), /CHECK constraint failed/);
    const { mill, id } = await strand("lease_worker = ''");
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    const types = (await readEvents(mill, id)).map(({ type }) => type);
    expect(types).toContain("run.reclaimed");
  });

  test("R208: one of another machine is over at its end and its grace, and an event says why", async () => {
    const { mill, id } = await strand("lease_expires_at_ms = lease_expires_at_ms - 30900");
    // Within the grace of a second nobody takes it.
    expect((await mill.run(id)).state).toBe("running");
    expect((await mill.work({ drain: true })).counts).toEqual({ succeeded: 1 });
    const reclaimed = (await readEvents(mill, id)).find(({ type }) => type === "run.reclaimed");
    expect(reclaimed?.data).toMatchObject({ host: "another" });
  });

  test("R210: one of another machine that is not over is left alone", async () => {
    const { mill, id } = await strand("lease_expires_at_ms = lease_expires_at_ms - 1000");
    const control = new AbortController();
    const working = mill.work({ signal: control.signal });
    await mill.enqueue(makeThree(setScene()), [{ input: 7, delay: "1.5s" }]).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    control.abort();
    await working;
    const record = await mill.run(id);
    expect([record.state, record.epoch]).toEqual(["running", 1]);
  });
});

describe("a definition that changes", () => {
  /** One stage gives a number, the next one doubles it; a version says that it was changed. */
  function makeVersioned(
    scene: Scene,
    options: { readonly version?: string; readonly more?: boolean },
  ) {
    const { life, trap } = scene;
    const { version, more = false } = options;
    const first = stage("first", version === undefined ? {} : { version }, () => {
      life.calls.push("first");
      return 1;
    });
    const other = stage("other", {}, () => {
      life.calls.push("other");
      return 10;
    });
    const second = stage("second", { needs: { first, other } }, async (needs) => {
      life.calls.push("second");
      await trap();
      return needs.first + needs.other;
    });
    const third = stage("third", { needs: { second } }, () => life.calls.push("third"));
    return pipeline("versioned", {
      stages: more ? [first, other, second, third] : [first, other, second],
    });
  }

  test("between enqueue and claim is adopted by the run", async () => {
    const scene = setScene();
    scene.life.isDoomed = false;
    const id = await enqueueOne(scene, makeVersioned(scene, {}) as Pipeline<undefined>, undefined);
    const changed = makeVersioned(scene, { version: "2", more: true });
    const mill = await scene.world.open([changed]);
    await mill.work({ drain: true });
    expect(scene.life.calls.toSorted()).toEqual(["first", "other", "second", "third"]);
    const record = await mill.run(id);
    expect([record.state, record.definitionHash]).toEqual(["succeeded", changed.definition.hash]);
  });

  test("between claim and reclaim redoes what changed and what reads it, and keeps the rest", async () => {
    const scene = setScene();
    const first = makeVersioned(scene, {});
    const id = await enqueueOne(scene, first as Pipeline<undefined>, undefined);
    await crash(scene, [first]);
    const changed = makeVersioned(scene, { version: "2", more: true });
    const mill = await scene.world.open([changed]);
    await mill.work({ drain: true });
    expect(scene.life.calls.toSorted()).toEqual(["first", "second", "third"]);
    const record = await mill.run(id);
    expect([record.state, record.definitionHash]).toEqual(["succeeded", changed.definition.hash]);
    assert.equal((await mill.store.listStages(id)).length, 4);
  });
});
