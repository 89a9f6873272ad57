// A scene of crashes: a process claims what is queued, comes to a trap in one of its stages, and counts as dead from
// then on. It stays there until it is let out, as a zombie.

import { input, pipeline, stage } from "../../src/exports/index.ts";
import type { Millrace, Pipeline } from "../../src/exports/index.ts";
import {
  makeDurableWorld,
  makeGate,
  type DurableWorld,
  type SomePipeline,
} from "./durable/durable-world.ts";

/** What a worker that dies does until then, and one that lives afterwards. */
interface Life {
  /** True in the process that dies: its stages hang where they are told to. */
  isDoomed: boolean;
  readonly calls: string[];
}

/** A stage calls this where its process is to die: it says so and never comes back, or it passes. */
type Trap = () => Promise<void>;

export interface Scene {
  readonly world: DurableWorld;
  readonly life: Life;
  readonly trap: Trap;
  /** Resolves once that many stages are in the trap. */
  trapped(count?: number): Promise<void>;
  /** Lets everything out that is in the trap, long after its process counted as dead. */
  release(): void;
}

/** A world with a trap in it. */
export function setScene(): Scene {
  const life: Life = { isDoomed: true, calls: [] };
  const out = makeGate();
  let inside = 0;
  let wake = (): void => {};
  return {
    world: makeDurableWorld(),
    life,
    trap: async () => {
      if (!life.isDoomed) return;
      inside += 1;
      wake();
      await out.opened;
    },
    trapped: async (count = 1) => {
      while (inside < count) await new Promise<void>((resolve) => (wake = resolve));
      inside = 0;
    },
    release: () => out.open(),
  };
}

/** A process takes what is queued, comes to the trap, and counts as dead. What it did is forgotten. */
export async function crash(
  scene: Scene,
  pipelines: readonly SomePipeline[],
  count = 1,
): Promise<Dead> {
  const { world, life } = scene;
  life.isDoomed = true;
  const mill = await world.openDoomed(pipelines);
  // The dead claim nothing more.
  const working = mill.work({ maxRuns: count });
  await scene.trapped(count);
  life.isDoomed = false;
  life.calls.length = 0;
  return { mill, working };
}

interface Dead {
  readonly mill: Millrace;
  readonly working: Promise<unknown>;
}

/** Before, trap, after: three stages that note what they do. */
export function makeThree({ life, trap }: Scene, options: { readonly attempts?: number } = {}) {
  const given = input<number>();
  const before = stage("before", { needs: { given } }, ({ given: value }, ctx) => {
    life.calls.push(`before ${value}`);
    ctx.state.set("seen", value);
    return value;
  });
  const middle = stage("middle", { needs: { before } }, async ({ before: value }, ctx) => {
    const made = await ctx.memo("made", () => {
      life.calls.push(`memo ${value}`);
      return value * 100;
    });
    life.calls.push(`middle ${value}`);
    await trap();
    return made + ctx.state.get("seen", 0);
  });
  const after = stage("after", { needs: { middle } }, ({ middle: value }) => {
    life.calls.push(`after ${value}`);
    return value;
  });
  return pipeline("three", { ...options, input: given, output: { after } });
}

export function range(count: number): readonly { readonly input: number }[] {
  return Array.from({ length: count }, (_, index) => ({ input: index }));
}

export async function enqueueOne<In>(scene: Scene, made: Pipeline<In>, value: In): Promise<string> {
  const mill = await scene.world.open([made as SomePipeline]);
  const { runs } = await mill.enqueue(made, [{ input: value }]);
  await mill.close();
  return runs[0]?.run.id ?? "";
}
