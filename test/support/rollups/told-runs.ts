// Runs that have ended, written past the engine: as many as are wanted, with the events that tell of them.

import {
  createRun,
  endRun,
  moveRun,
  putStage,
  queueRun,
} from "../../../src/testing/store-suite/fixture.ts";
import { makeIdSource } from "../../../src/std/id.ts";
import { systemClock } from "../../../src/std/clock.ts";
import { systemRandom } from "../../../src/std/random.ts";
import type { Store } from "../../../src/storage/store.ts";
import type { Write } from "../../../src/storage/write.ts";

export interface ToldRuns {
  readonly pipeline: string;
  readonly count: number;
  /** Default "succeeded". */
  readonly state?: "succeeded" | "failed";
  /** Default 10. */
  readonly durationMs?: number;
  /** Default none. */
  readonly stages?: readonly string[];
  /** Default "run". */
  readonly via?: "run" | "cache";
}

const nextId = makeIdSource(systemClock, systemRandom);
/** Runs of one transaction. */
const AT_ONCE = 100;

export async function tellRuns(store: Store, { count, ...runs }: ToldRuns): Promise<void> {
  for (let left = count; left > 0; left -= AT_ONCE) {
    const each = Array.from({ length: Math.min(AT_ONCE, left) }, () => writeRun(runs));
    await store.apply(each.flat());
  }
}

export async function queueRuns(store: Store, pipeline: string, count: number): Promise<void> {
  const events = [{ type: "run.created" as const, data: { pipeline } }];
  const each = Array.from({ length: count }, () =>
    queueRun({ id: nextId(), pipeline }, { events }),
  );
  await store.apply(each);
}

function writeRun({
  pipeline,
  state = "succeeded",
  durationMs = 10,
  stages = [],
  via = "run",
}: Omit<ToldRuns, "count">): readonly Write[] {
  const held = { id: nextId(), epoch: 1 };
  const create = createRun(
    { id: held.id, pipeline },
    {
      events: [
        { type: "run.created", data: { pipeline, stages: stages.length, definition: "hash-1" } },
        { type: "run.started", data: { epoch: 1 } },
      ],
    },
  );
  const data = { via, attempts: 1, durationMs };
  const ended = stages.map((stage) =>
    putStage(held, { stage, via }, { events: [{ type: "stage.succeeded", stage, data }] }),
  );
  const { end } = endRun(held, state);
  const events = [{ type: `run.${state}` as const, data: { durationMs, warnings: 0 } }];
  return [
    create,
    ...ended,
    moveRun(held, state, { ...(end === undefined ? {} : { end }), events }),
  ];
}
