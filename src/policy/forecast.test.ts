import { test } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect } from "vitest";
import {
  estimateRun,
  estimateStage,
  judgeConfidence,
  NO_TIME,
  type Estimate,
  type StageAhead,
} from "./forecast.ts";

function times(...durationsMs: readonly number[]): Parameters<typeof estimateStage>[0] {
  return durationsMs.map((durationMs) => ({ durationMs, items: null }));
}

function exactly(ms: number, samples: number = 1): Estimate {
  return { lowMs: ms, midMs: ms, highMs: ms, samples };
}

describe("what is left of a stage", () => {
  test("is the median of earlier times, between the fast and the slow ones", () => {
    const samples = times(9_000, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000);

    expect(estimateStage(samples)).toEqual({ lowMs: 200, midMs: 600, highMs: 1_000, samples: 11 });
    expect(estimateStage([])).toBeUndefined();
  });

  test("shrinks as it is worked on, and only slower times still count", () => {
    const samples = times(100, 200, 300);

    expect(estimateStage(samples, { elapsedMs: 150 })).toEqual({
      lowMs: 50,
      midMs: 150,
      highMs: 150,
      samples: 2,
    });
    expect(estimateStage(samples, { elapsedMs: 300 })).toBeUndefined();
  });

  test("is scaled to the items of a map, where both lists are known", () => {
    const samples = [
      { durationMs: 1_000, items: 10 },
      { durationMs: 70, items: null },
      { durationMs: 60, items: 0 },
    ];

    expect(estimateStage(samples.slice(0, 1), { items: 50 })).toEqual(exactly(5_000));
    expect(estimateStage(samples.slice(0, 1))).toEqual(exactly(1_000));
    expect(estimateStage(samples.slice(1), { items: 50 })).toMatchObject({ lowMs: 60, highMs: 70 });
  });

  const durations = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1 });
  test.prop([durations, fc.nat(1_000_000)])(
    "R252: lies between the shortest and the longest earlier time, and never goes up while work goes on",
    (given, elapsedMs) => {
      const whole = estimateStage(times(...given));
      expect(whole).toBeDefined();
      if (whole === undefined) return;
      expect(whole.lowMs).toBeGreaterThanOrEqual(Math.min(...given));
      expect(whole.highMs).toBeLessThanOrEqual(Math.max(...given));
      expect(whole.lowMs).toBeLessThanOrEqual(whole.midMs);
      expect(whole.midMs).toBeLessThanOrEqual(whole.highMs);
      const left = estimateStage(times(...given), { elapsedMs });
      if (left === undefined) expect(Math.max(...given)).toBeLessThanOrEqual(elapsedMs);
      else expect(left.highMs + elapsedMs).toBeLessThanOrEqual(Math.max(...given));
    },
  );
});

/** Stages that need only earlier ones, as every definition can be written. */
const graphs: fc.Arbitrary<readonly StageAhead[]> = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(30), { maxLength: 3 }),
      ms: fc.integer({ min: 0, max: 100_000 }),
      spreadMs: fc.nat(1_000),
      samples: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((drafts) =>
    drafts.map(({ needs, ms, spreadMs, samples }, position) => ({
      needs: position === 0 ? [] : [...new Set(needs.map((need) => need % position))],
      estimate: { lowMs: ms, midMs: ms + spreadMs, highMs: ms + 2 * spreadMs, samples },
    })),
  );

function longestPathMs(stages: readonly StageAhead[]): number {
  const endsMs: number[] = [];
  for (const { needs, estimate } of stages) {
    endsMs.push(estimate.midMs + Math.max(0, ...needs.map((need) => endsMs[need] ?? 0)));
  }
  return Math.max(...endsMs);
}

function totalMs(stages: readonly StageAhead[]): number {
  return stages.reduce((sum, { estimate }) => sum + estimate.midMs, 0);
}

describe("what a run takes", () => {
  test("is the longest path where there is room for all, and everything in turn in one place", () => {
    const stages: readonly StageAhead[] = [
      { needs: [], estimate: exactly(10, 3) },
      { needs: [0], estimate: exactly(20, 9) },
      { needs: [0], estimate: exactly(50, 9) },
      { needs: [1, 2], estimate: exactly(1, 9) },
    ];

    expect(estimateRun(stages, 4)).toEqual(exactly(61, 3));
    expect(estimateRun(stages, 1)).toEqual(exactly(81, 3));
    expect(estimateRun([], 4)).toEqual(NO_TIME);
  });

  test("counts places: three equal stages in two of them take two turns", () => {
    const three = Array.from({ length: 3 }, () => ({ needs: [], estimate: exactly(10) }));

    expect(estimateRun(three, 2).midMs).toBe(20);
  });

  test("needs no place for what takes no time, and waits for no one who is not there", () => {
    const stages = [
      { needs: [], estimate: exactly(10) },
      { needs: [], estimate: NO_TIME },
      { needs: [1], estimate: NO_TIME },
      { needs: [7], estimate: exactly(5) },
    ];

    expect(estimateRun(stages, 1).midMs).toBe(10);
  });

  test("keeps its order where shorter stages take longer together", () => {
    // Graham's anomaly: with the shorter times the long stage gets its place later.
    const lows = [3, 2, 2, 2, 4, 4, 4, 4, 9].map((ms) => ms - 1);
    const needs = [[], [], [], [], [3], [3], [3], [3], [0]];
    const stages = lows.map((lowMs, position) => ({
      needs: needs[position] ?? [],
      estimate: { lowMs, midMs: lowMs + 1, highMs: lowMs + 1, samples: 1 },
    }));

    expect(estimateRun(stages, 3)).toEqual({ lowMs: 12, midMs: 12, highMs: 13, samples: 1 });
  });

  test.prop([graphs, fc.integer({ min: 1, max: 40 })])(
    "R252: is never less than the longest path or a fair share of the work, nor more than both together",
    (stages, slots) => {
      const { lowMs, midMs, highMs, samples } = estimateRun(stages, slots);
      expect(lowMs).toBeLessThanOrEqual(midMs);
      expect(midMs).toBeLessThanOrEqual(highMs);
      expect(samples).toBe(Math.min(...stages.map(({ estimate }) => estimate.samples)));
      const same = stages.map((stage) => ({ ...stage, estimate: exactly(stage.estimate.midMs) }));
      const onlyMs = estimateRun(same, slots).midMs;
      const [pathMs, workMs] = [longestPathMs(stages), totalMs(stages)];
      expect(onlyMs).toBeGreaterThanOrEqual(Math.max(pathMs, workMs / slots));
      expect(onlyMs).toBeLessThanOrEqual(pathMs + workMs / slots);
      if (slots === 1) expect(onlyMs).toBe(workMs);
      if (slots >= stages.length) expect(onlyMs).toBe(pathMs);
    },
  );
});

describe("confidence", () => {
  test("R252: grows with the number of earlier runs and falls with their spread", () => {
    const around = (spreadMs: number, samples: number): Estimate => ({
      lowMs: 10_000 - spreadMs / 2,
      midMs: 10_000,
      highMs: 10_000 + spreadMs / 2,
      samples,
    });

    expect(judgeConfidence(around(0, 1))).toBe("low");
    expect(judgeConfidence(around(0, 2))).toBe("medium");
    expect(judgeConfidence(around(5_000, 5))).toBe("high");
    expect(judgeConfidence(around(5_002, 5))).toBe("medium");
    expect(judgeConfidence(around(20_002, 20))).toBe("low");
    expect(judgeConfidence({ lowMs: 1, midMs: 2, highMs: 900, samples: 5 })).toBe("high");
  });
});
