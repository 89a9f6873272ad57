import { expect, test } from "vitest";
import { compileOrThrow } from "../model/compile/compile.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import { MemoryBlobs } from "../storage/blobs/memory-blobs.ts";
import { LocalFiles } from "../storage/local-files.ts";
import { InvariantError } from "../std/error/assert.ts";
import { makeSeededRandom } from "../std/random.ts";
import { makeVirtualClock, type VirtualClock } from "../std/virtual-clock.ts";
import type { EventSink } from "./ports.ts";
import { DeclaredResources } from "./limits/declared-resources.ts";
import { Gate } from "./limits/gate.ts";
import { makeDurableLimits } from "./limits/limits.ts";
import { RunCore } from "./run-core.ts";
import { RunDriver } from "./run-driver.ts";
import { Slots, type SlotPool } from "./slots.ts";

interface World {
  readonly clock: VirtualClock;
  readonly core: RunCore;
  readonly driver: RunDriver;
}

function setup(
  stages: readonly Readonly<Record<string, unknown>>[],
  more: { readonly sink?: EventSink; readonly slots?: SlotPool } = {},
): World {
  const clock = makeVirtualClock();
  const definition: PipelineDefinition = compileOrThrow({
    name: "p",
    options: { stages },
    byId: true,
  });
  const core = new RunCore({
    definition,
    runId: "run",
    input: undefined,
    inputText: null,
    inputVersion: null,
    settings: {},
    provide: {},
    world: {
      clock,
      random: makeSeededRandom(1),
      slots: more.slots ?? new Slots(4),
      files: new LocalFiles("unused"),
      blobs: new MemoryBlobs(),
      environment: {},
      graceMs: 5_000,
      stuckMs: 60_000,
      limits: makeDurableLimits(new Gate(clock, makeSeededRandom(1)), new DeclaredResources()),
    },
    journal: null,
    sink: more.sink ?? null,
  });
  return { clock, core, driver: new RunDriver(core) };
}

test("a run whose counters say that a need is missing is an internal error, never a success", async () => {
  const { core, driver } = setup([
    { id: "a", run: () => 1 },
    { id: "b", needs: ["a"], run: () => 2 },
  ]);
  core.stageAt(1).left = 2;

  const driving = driver.drive();

  await expect(driving).rejects.toBeInstanceOf(InvariantError);
  await expect(driving).rejects.toThrow("Nothing of run run can go on; open: b.");
});

test("a run in which nothing was ever ready is an internal error too", async () => {
  const { core, driver } = setup([{ id: "a", run: () => 1 }]);
  core.stageAt(0).left = 1;
  await expect(driver.drive()).rejects.toThrow("can go on; open: a.");
});

test("a run that hangs while it is being cancelled is an internal error", async () => {
  const { clock, core, driver } = setup([
    { id: "a", run: (_input: unknown, ctx: { sleep(ms: number): unknown }) => ctx.sleep(1_000) },
    { id: "b", needs: ["a"], run: () => 2 },
  ]);
  const driving = driver.drive();
  const seen = expect(driving).rejects.toThrow("can go on; open: b.");
  await clock.advance(10);
  // As if b were at work, and its attempt were lost.
  core.stageAt(1).state = "failed";
  driver.cancel("enough");
  await clock.advance(0);
  await seen;
});

test("what is driven is never told of twice: a stage that ended cannot end again", () => {
  const { core, driver } = setup([{ id: "a", run: () => 1 }]);
  driver.ledger.endStage(core.stageAt(0), { state: "skipped", reason: "operator" });
  expect(() =>
    driver.ledger.endStage(core.stageAt(0), { state: "skipped", reason: "operator" }),
  ).toThrow('Stage "a" ended twice.');
});

test.each(["stage.started", "stage.succeeded", "stage.waiting"])(
  "a fault of ours at %s ends the run with it, whatever the moment",
  async (type) => {
    for (const wait of [false, true]) {
      const sink: EventSink = {
        tell: (draft) => {
          if (draft.type === type) throw new InvariantError("broken on purpose");
        },
      };
      const { clock, driver } = setup(
        [
          {
            id: "a",
            retry: { attempts: 2, initialDelay: 10, jitter: "none" },
            run: async (_input: unknown, ctx: { attempt: number; sleep(ms: number): unknown }) => {
              if (wait) await ctx.sleep(5);
              if (ctx.attempt === 1) throw new Error("again");
            },
          },
        ],
        { sink },
      );
      const seen = expect(driver.drive()).rejects.toThrow("broken on purpose");
      await clock.advance(1_000);
      await seen;
      expect(clock.pendingTimers).toBe(0);
    }
  },
);

test("runs that share their slots all get done, one attempt at a time", async () => {
  const slots = new Slots(1);
  let running = 0;
  let most = 0;
  const work = async (_input: unknown, ctx: { sleep(ms: number): unknown }): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await ctx.sleep(0);
    running -= 1;
  };
  const worlds = [1, 2, 3].map(() =>
    setup(
      [
        { id: "a", run: work },
        { id: "b", run: work },
        {
          id: "m",
          over: [1, 2, 3],
          run: (_item: unknown, _needs: unknown, ctx: never) => work(0, ctx),
        },
      ],
      { slots },
    ),
  );
  const driving = worlds.map(({ driver }) => driver.drive());
  for (let round = 0; round < 20; round += 1)
    for (const { clock } of worlds) await clock.advance(1);

  expect((await Promise.all(driving)).map(({ kind }) => kind)).toEqual(["over", "over", "over"]);
  expect(most).toBe(1);
  expect(slots.used).toBe(0);
});

test("a run that is cancelled while it waits for a slot leaves the line to others", async () => {
  const slots = new Slots(1);
  const sleep = (_input: unknown, ctx: { sleep(ms: number): unknown }): unknown => ctx.sleep(10);
  const first = setup([{ id: "a", run: sleep }], { slots });
  const second = setup([{ id: "a", run: sleep }], { slots });
  const third = setup([{ id: "a", run: () => "done" }], { slots });
  const driving = [first, second, third].map(({ driver }) => driver.drive());
  second.driver.cancel("not needed");
  await first.clock.advance(10);
  await third.clock.advance(0);

  await Promise.all(driving);
  expect(second.core.stageAt(0).state).toBe("cancelled");
  expect(third.core.stageAt(0).value).toBe("done");
  expect(slots.used).toBe(0);
});
