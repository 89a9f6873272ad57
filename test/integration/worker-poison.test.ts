// Stages and items that take their process along: found by running apart from their worker, they fail as poison with
// their third crash, and everything else goes on.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Millrace } from "../../src/exports/index.ts";
import { systemMachine } from "../../src/std/machine.ts";
import { makeDurableWorld, type DurableWorld } from "../support/durable/durable-world.ts";
import {
  bomb,
  bombHere,
  cluster,
  hanging,
  many,
  POISONOUS,
  tardy,
} from "../support/poison/poison-process.ts";
import type { BombInput, PoisonOrder } from "../support/poison/poison-process.ts";
import { checkCounts, checkNoLease } from "../support/queue-world.ts";
import { programWords } from "../support/suite-package.ts";

const PROGRAM = join(import.meta.dirname, "..", "support", "poison", "poison-process.ts");

/** Says what it runs often enough to name who dies soon after. */
const TALKATIVE = {
  leaseMs: 1_500,
  heartbeatMs: 150,
  callMs: 200,
  pauseMs: 600,
  stopMs: 200,
  graceMs: 200,
  presenceMs: 50,
} as const;

interface Scene {
  readonly world: DurableWorld;
  readonly effects: string;
  readonly mill: Millrace;
  toInput(isBad: boolean, delayMs?: number): BombInput;
  /** Starts a worker. */
  start(order?: Partial<PoisonOrder>): Worker;
  /** Starts one worker after the other until one has drained the queue; answers how each ended. */
  work(order?: Partial<PoisonOrder>): Promise<readonly string[]>;
  /** Words of the effects of a run: what was done, and where. */
  listEffects(run?: string): readonly (readonly string[])[];
}

interface Worker {
  readonly pid: number;
  /** `0`, or the signal that ended it. */
  readonly ended: Promise<string>;
  signal(name: NodeJS.Signals): void;
}

async function setScene(): Promise<Scene> {
  const world = makeDurableWorld();
  const effects = join(world.folder, "effects");
  const mill = await world.open(POISONOUS);
  const start: Scene["start"] = (order = {}) => {
    const told = JSON.stringify({ store: world.url, ...order });
    const child = spawn(process.execPath, [...programWords(PROGRAM), told], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = once(child, "exit").then(([code, signal]) => String(signal ?? code));
    return { pid: child.pid ?? 0, ended, signal: (name) => void child.kill(name) };
  };
  return {
    world,
    effects,
    mill,
    toInput: (isBad, delayMs = 0) => ({ effects, isBad, delayMs }),
    start,
    work: async (order) => {
      const ends: string[] = [];
      while (ends.length < 8 && ends.at(-1) !== "0") ends.push(await start(order).ended);
      return ends;
    },
    listEffects: (run) => {
      if (!existsSync(effects)) return [];
      const lines = readFileSync(effects, "utf8").trimEnd().split("\n");
      const words = lines.map((line) => line.split(" "));
      return words.filter(([, of]) => run === undefined || of === run);
    },
  };
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("a stage that kills its process", () => {
  test("R162: fails as poison with its third crash, is started no fourth time, and its neighbours all finish", async () => {
    const scene = await setScene();
    const { mill } = scene;
    const inputs = [true, ...Array.from({ length: 8 }, () => false)];
    const entries = inputs.map((isBad) => ({ input: scene.toInput(isBad, 400) }));
    const { runs } = await mill.enqueue(bomb, entries);
    const ends = await scene.work({ lease: TALKATIVE });
    expect(ends).toEqual(["SIGABRT", "SIGABRT", "0"]);

    const bad = runs[0]?.run.id ?? "";
    const starts = scene.listEffects(bad).filter(([what]) => what === "boom");
    expect(starts.map(([, , , place]) => place)).toEqual(["worker", "worker", "apart"]);
    const record = await mill.run(bad);
    expect([record.state, record.failure?.class, record.failure?.stage]).toEqual([
      "failed",
      "poison",
      "boom",
    ]);
    expect(record.failure?.message).toBe(
      '"boom" is not started again after 3 crashes: the process was killed by SIGABRT',
    );
    const told = await mill.why(bad, "boom");
    expect(told.summary).toContain('boom failed as poison: "boom" is not started again after 3');
    expect((await mill.why(bad)).notes.join("\n")).toContain("npx millrace queue retry-failed");
    // Its ordinary rules hold for the rest of it.
    const { stages } = await mill.result(bad);
    expect(Object.values(stages).map(({ stage, state }) => [stage, state])).toEqual([
      ["boom", "failed"],
      ["calm", "succeeded"],
      ["after", "upstream_failed"],
      ["last", "succeeded"],
    ]);
    const retries = await mill.store.listRetries(bad, "boom", null);
    expect(retries.map(({ class: name }) => name)).toEqual(["poison"]);
    expect(await checkCounts(mill, "bomb")).toEqual({ failed: 1, succeeded: 8 });
    await checkNoLease(mill);
    const before = scene.listEffects().length;
    expect(await scene.work()).toEqual(["0"]);
    expect(scene.listEffects()).toHaveLength(before);
  });

  test("R162: too quick to be named, it is found as well: the third crash without progress is its last", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(bomb, [
      { input: scene.toInput(true) },
      { input: scene.toInput(false) },
    ]);
    expect(await scene.work({ concurrency: 1 })).toEqual(["SIGABRT", "SIGABRT", "0"]);
    const bad = runs[0]?.run.id ?? "";
    expect(scene.listEffects(bad).filter(([what]) => what === "boom")).toHaveLength(3);
    expect((await scene.mill.run(bad)).failure?.class).toBe("poison");
    expect(await checkCounts(scene.mill, "bomb")).toEqual({ failed: 1, succeeded: 1 });
  });

  test("apart from its worker a stage has all that its context gives", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(bomb, [
      { input: scene.toInput(true, 300) },
      { input: scene.toInput(false, 300) },
    ]);
    await scene.work({ lease: TALKATIVE });
    // A neighbour that lost its worker twice without any fault of its own.
    const good = runs[1]?.run.id ?? "";
    const record = await scene.mill.run(good);
    expect([record.state, record.crashes, record.metrics]).toEqual(["succeeded", 2, { booms: 1 }]);
    const places = scene.listEffects(good).map(([what, , , place]) => `${what} ${place}`);
    expect(places.filter((one) => one.startsWith("boom"))).toEqual([
      "boom worker",
      "boom worker",
      "boom apart",
    ]);
    // What is no suspect runs in the worker again.
    expect(places.at(-1)).toBe("after worker");
    expect((await scene.mill.result(good)).outputs).toEqual({
      after: {
        made: { at: new Date(0) },
        bytes: 5,
        key: expect.stringMatching(/^[0-9a-f]{32}$/),
        seen: 1,
      },
      last: "last",
    });
    const events = await scene.mill.store.listEvents({ runId: good, after: 0, limit: 100 });
    const types = events.map(({ type }) => type);
    expect(types).toContain("artifact.stored");
    expect(events.find(({ type }) => type === "stage.logged")?.data?.["message"]).toBe("not today");
  });

  test("R162: one item of twenty fails as poison, and the others have their results", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(many, [{ input: scene.toInput(true, 300) }]);
    const ends = await scene.work({ lease: TALKATIVE });
    expect(ends.at(-1)).toBe("0");
    const id = runs[0]?.run.id ?? "";
    expect(scene.listEffects(id).filter(([what]) => what === "item-7")).toHaveLength(3);
    expect((await scene.mill.run(id)).state).toBe("succeeded");
    expect(await scene.mill.store.countItems(id)).toEqual(
      new Map([["each", { succeeded: 19, failed: 1 }]]),
    );
    const item = await scene.mill.store.findItem(id, "each", "n7");
    expect([item?.state, item?.failure?.class]).toEqual(["failed", "poison"]);
    expect(item?.failure?.message).toContain("killed by SIGABRT");
  });

  test("R162: a run of which ten processes die in one claim is over", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(cluster, [{ input: scene.toInput(true) }]);
    expect(await scene.work()).toEqual(["SIGABRT", "SIGABRT", "0"]);
    const id = runs[0]?.run.id ?? "";
    const apart = scene.listEffects(id).filter(([, , , place]) => place === "apart");
    expect(apart).toHaveLength(10);
    const { state, reason, failure } = await scene.mill.run(id);
    expect([state, failure?.class, failure?.stage]).toEqual(["failed", "crash", "dying"]);
    expect(reason).toBe(
      "10 processes of this run died in one claim; the last one: the process was killed by SIGABRT",
    );
    await checkNoLease(scene.mill);
  });

  test("R162: without a module it runs alone in its worker, and that is found out by the start that is stored", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(bombHere, [
      { input: scene.toInput(true) },
      { input: scene.toInput(false) },
    ]);
    const ends = await scene.work({ concurrency: 1 });
    expect(ends).toEqual(["SIGABRT", "SIGABRT", "SIGABRT", "0"]);
    const bad = runs[0]?.run.id ?? "";
    expect(scene.listEffects(bad).filter(([what]) => what === "boom")).toHaveLength(3);
    const { stages } = await scene.mill.result(bad);
    expect([stages["boom"]?.error?.class, stages["last"]?.state]).toEqual(["poison", "succeeded"]);
    expect(stages["boom"]?.error?.message).toContain("its process is gone");
    expect(await checkCounts(scene.mill, "bomb-here")).toEqual({ failed: 1, succeeded: 1 });
  });

  test("R162: TERM costs nothing, also while a stage runs apart", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(bomb, [{ input: scene.toInput(true, 2_000) }]);
    const id = runs[0]?.run.id ?? "";
    for (let losses = 0; losses < 2; losses += 1) {
      const worker = scene.start({ lease: TALKATIVE });
      await until(() => scene.listEffects(id).filter(([what]) => what === "boom").length > losses);
      // The beat that names it.
      const countBeats = async (): Promise<number> =>
        (await scene.mill.store.listWorkers()).filter(isAtBoom).length;
      await until(async () => (await countBeats()) > losses);
      worker.signal("SIGKILL");
      await worker.ended;
    }
    for (let stops = 0; stops < 2; stops += 1) {
      const worker = scene.start({ lease: TALKATIVE });
      const isApart = ([what, , , place]: readonly string[]): boolean =>
        what === "boom" && place === "apart";
      await until(() => scene.listEffects(id).filter(isApart).length > stops);
      worker.signal("SIGTERM");
      expect(await worker.ended).toBe("0");
      const { state, crashes, attempts } = await scene.mill.run(id);
      expect([state, crashes]).toEqual(["queued", 2]);
      expect(attempts).toBeLessThanOrEqual(2);
      expect((await scene.mill.store.findStage(id, "boom"))?.state).toBe("pending");
      const { notes } = await scene.mill.why(id);
      expect(notes.join("\n")).toContain("boom crashed 2 times; the last one: its process is gone");
      expect(notes.join("\n")).toContain("one at a time, runs next first: boom");
      const [found] = (await scene.mill.store.listCrashes(id)).filter(
        ({ stage }) => stage !== null,
      );
      expect([found?.stage, found?.crashes, found?.isolated]).toEqual(["boom", 2, 0]);
    }
    const pids = scene.listEffects(id).map(([, , pid]) => Number(pid));
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test("a process that never answers is killed when its run is cancelled", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(hanging, [{ input: scene.toInput(true) }]);
    const id = runs[0]?.run.id ?? "";
    expect(await scene.start().ended).toBe("SIGABRT");
    expect(await scene.start().ended).toBe("SIGABRT");
    const worker = scene.start({ lease: TALKATIVE });
    const findApart = (): number => {
      const found = scene.listEffects(id).find(([, , , place]) => place === "apart");
      return Number(found?.[2] ?? 0);
    };
    await until(() => findApart() > 0);
    const pid = findApart();
    expect(isAlive(pid)).toBe(true);
    await scene.mill.cancel(id);
    await until(async () => (await scene.mill.run(id)).state === "cancelled");
    expect(isAlive(pid)).toBe(false);
    expect(await worker.ended).toBe("0");
  });

  test("a process that never answers is killed when the time of its stage is up", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(tardy, [{ input: scene.toInput(true) }]);
    const id = runs[0]?.run.id ?? "";
    expect(await scene.work()).toEqual(["SIGABRT", "SIGABRT", "0"]);
    const { state, failure } = await scene.mill.run(id);
    expect([state, failure?.class, failure?.stage]).toEqual(["failed", "timeout", "late"]);
    const pids = scene.listEffects(id).map(([, , pid]) => Number(pid));
    expect([pids.length, pids.filter(isAlive)]).toEqual([3, []]);
  });

  test("a process is ended with its worker", async () => {
    const scene = await setScene();
    await scene.mill.enqueue(hanging, [{ input: scene.toInput(true) }]);
    await scene.start().ended;
    await scene.start().ended;
    const worker = scene.start();
    const findApart = (): number =>
      Number(scene.listEffects().find(([, , , place]) => place === "apart")?.[2] ?? 0);
    await until(() => findApart() > 0);
    worker.signal("SIGKILL");
    await worker.ended;
    await until(() => !isAlive(findApart()));
  });

  test("a program that works when it is imported does not do so apart from its worker", async () => {
    const scene = await setScene();
    const { folder } = scene.world;
    const program = join(import.meta.dirname, "..", "support", "poison", "poison-unguarded.ts");
    const ends: string[] = [];
    while (ends.length < 6 && ends.at(-1) !== "0") {
      const child = spawn(process.execPath, ["--conditions=@millrace/source", program], {
        cwd: folder,
        stdio: "ignore",
      });
      ends.push(await once(child, "exit").then(([code, signal]) => String(signal ?? code)));
    }
    // It is called in the worker, as if nobody knew its module.
    expect(ends).toEqual(["SIGABRT", "SIGABRT", "SIGABRT", "0"]);
    const count = (name: string): number =>
      readFileSync(join(folder, name), "utf8").trimEnd().split("\n").length;
    expect([count("effects"), count("imports"), count("opened")]).toEqual([3, 5, 4]);
  });

  test("R162: retrying what failed begins the counts anew", async () => {
    const scene = await setScene();
    const { runs } = await scene.mill.enqueue(bomb, [{ input: scene.toInput(true) }]);
    const id = runs[0]?.run.id ?? "";
    await scene.work();
    expect((await scene.mill.run(id)).state).toBe("failed");
    expect(await scene.mill.retryFailed()).toMatchObject({ changed: 1 });
    const { state, crashes, attempts } = await scene.mill.run(id);
    expect([state, crashes, attempts]).toEqual(["queued", 0, 0]);
    expect(await scene.mill.store.listCrashes(id)).toEqual([]);
    const before = scene.listEffects(id).length;
    expect(await scene.start().ended).toBe("SIGABRT");
    expect(scene.listEffects(id).length).toBeGreaterThan(before);
  });
});

function isAtBoom({ running }: { readonly running: readonly string[] }): boolean {
  return running.some((name) => name.endsWith("/boom"));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return systemMachine.isGone({ ...systemMachine, pid, processStart: "" }) !== true;
  } catch {
    return false;
  }
}
