import { expect, test } from "vitest";
import type { MillraceEvent } from "../../../model/event.ts";
import { definePipeline, type StageById } from "../../../service/pipeline.ts";
import type { RunHistory } from "../../../service/plan/plan-forecast.ts";
import { applyEvent, makeProgress } from "./progress-model.ts";
import type { Forecast } from "./progress.ts";
import { makeForecast } from "./time-left.ts";

const START_MS = 1_800_000_000_000;
const run = (): number => 1;
const THREE: readonly StageById[] = [
  { id: "fetch", run },
  { id: "score", needs: ["fetch"], over: "fetch", run },
  { id: "save", needs: ["score"], run },
];

interface World {
  readonly forecast: Forecast;
  readonly tell: (atMs: number, what: Pick<MillraceEvent, "type" | "stage" | "data">) => void;
}

/** A run of which nothing happened yet, and what earlier ones took. */
function setup(
  samples: Readonly<Record<string, readonly number[]>>,
  options: { readonly stages?: readonly StageById[]; readonly idle?: number } = {},
): World {
  const { definition } = definePipeline({ name: "timed", stages: options.stages ?? THREE });
  const history: RunHistory = {
    runs: 3,
    samples: new Map(
      Object.entries(samples).map(([stage, all]) => [
        stage,
        all.map((durationMs) => ({ durationMs, items: stage === "score" ? 10 : null })),
      ]),
    ),
    idle: new Map(options.idle === undefined ? [] : [["save", options.idle]]),
  };
  const progress = makeProgress({
    run: "1",
    pipeline: "timed",
    definition: "000000",
    store: "memory:",
    startedAtMs: START_MS,
    slots: 32,
    stages: definition.stages.map(({ name, kind }) => ({ name, kind, attemptsMax: 1 })),
  });
  let seq = 0;
  return {
    forecast: makeForecast(progress, definition, history),
    tell(atMs, what) {
      seq += 1;
      const event: MillraceEvent = {
        seq,
        runSeq: seq,
        atMs: START_MS + atMs,
        run: "1",
        ...what,
      };
      applyEvent(progress, event);
    },
  };
}

test("R252: what is left is what earlier runs took, and less as stages end", () => {
  const { forecast, tell } = setup({ fetch: [1_000], score: [10_000], save: [500] });

  expect(forecast.run(START_MS)).toEqual({
    lowMs: 11_500,
    midMs: 11_500,
    highMs: 11_500,
    confidence: "low",
    isOverdue: false,
    runs: 3,
  });
  tell(0, { type: "stage.started", stage: "fetch" });
  expect(forecast.run(START_MS + 600)?.midMs).toBe(10_900);
  tell(900, {
    type: "stage.succeeded",
    stage: "fetch",
    data: { via: "run", attempts: 1, durationMs: 900 },
  });
  expect(forecast.run(START_MS + 1_900)?.midMs).toBe(10_500);
});

test("R252: a map is judged by its items, and by its pace once a tenth of it is over", () => {
  const { forecast, tell } = setup({ fetch: [0], score: [10_000, 11_000], save: [0] });
  tell(0, {
    type: "stage.succeeded",
    stage: "fetch",
    data: { via: "run", attempts: 1, durationMs: 0 },
  });
  tell(0, {
    type: "stage.expanded",
    stage: "score",
    data: { items: 100, kept: 0, added: 100, changed: 0, removed: 0 },
  });

  expect(forecast.stage("score", START_MS)).toMatchObject({ lowMs: 100_000, highMs: 110_000 });
  for (let index = 0; index < 20; index++) {
    const data = { via: "run", attempts: 1, durationMs: 1 };
    tell(1_000, { type: "item.succeeded", stage: "score", data });
  }
  expect(forecast.stage("score", START_MS + 1_000)?.midMs).toBe(4_000);
});

test("R252: what takes longer than ever is said to, and what follows is the least that is left", () => {
  const { forecast, tell } = setup({ fetch: [1_000, 1_200], score: [10_000, 10_000], save: [0] });
  tell(0, { type: "stage.started", stage: "fetch" });

  expect(forecast.run(START_MS + 1_100)).toMatchObject({ isOverdue: false, midMs: 10_100 });
  expect(forecast.stage("fetch", START_MS + 5_000)?.isOverdue).toBe(true);
  expect(forecast.run(START_MS + 5_000)).toMatchObject({
    isOverdue: true,
    lowMs: 10_000,
    confidence: "low",
  });
});

test("a stage that no earlier run had leaves the run without a forecast until it is over", () => {
  const { forecast, tell } = setup({ fetch: [1_000], score: [10_000] });

  expect(forecast.run(START_MS)).toBeUndefined();
  expect(forecast.stage("save", START_MS)).toBeUndefined();
  tell(0, { type: "stage.started", stage: "save" });
  expect(forecast.stage("save", START_MS)).toBeUndefined();
  tell(1, {
    type: "stage.failed",
    stage: "save",
    data: { class: "server", message: "no", fingerprint: "f" },
  });
  expect(forecast.run(START_MS + 1_000)?.midMs).toBe(11_000);
});

test("a stage that earlier runs skipped may take no time, and is overdue once it is worked on", () => {
  const { forecast, tell } = setup({ fetch: [0], score: [0] }, { idle: 3 });

  expect(forecast.run(START_MS)).toMatchObject({ highMs: 0, isOverdue: false });
  tell(0, { type: "stage.started", stage: "save" });
  expect(forecast.run(START_MS + 1_000)).toMatchObject({ lowMs: 0, isOverdue: true });
});

test("a forecast is made anew twice a second at most, and nothing is foreseen of unknown stages", () => {
  const { forecast, tell } = setup({ fetch: [1_000], score: [0], save: [0] });
  tell(0, { type: "stage.started", stage: "fetch" });

  expect(forecast.run(START_MS)?.midMs).toBe(1_000);
  expect(forecast.run(START_MS + 499)?.midMs).toBe(1_000);
  expect(forecast.run(START_MS + 500)?.midMs).toBe(500);
  expect(forecast.stage("nowhere", START_MS)).toBeUndefined();
});
