// The picture of a run as its forecast needs it. Loaded once a run has lasted a while: a start that is over in a
// moment never pays for it.

import type { PipelineDefinition } from "../../../model/definition.ts";
import type { RunHistory } from "../../../service/plan/plan-forecast.ts";
import {
  foreseeRun,
  foreseeStage,
  type RunUnderWay,
  type SeenStage,
  type TimeLeft,
} from "../../../service/plan/time-left.ts";
import type { Forecast, Progress } from "./progress.ts";
import { countEnded, remainingMs, type StageProgress } from "./stage-progress.ts";

/** How long a forecast is used again: it is asked for with every redraw, ms. */
const FRESH_MS = 500;

/** Foresees the end of a run. Reads the picture whenever it is asked, and changes nothing. */
export function makeForecast(
  progress: Progress,
  definition: PipelineDefinition,
  history: RunHistory,
): Forecast {
  const under = (nowMs: number): RunUnderWay => ({
    definition,
    history,
    slots: progress.plan.slots,
    see: (name) => toSeen(progress.stages.get(name), nowMs),
  });
  let madeAtMs = -Infinity;
  let made: TimeLeft | undefined;
  return {
    run(nowMs) {
      if (Math.abs(nowMs - madeAtMs) < FRESH_MS) return made;
      madeAtMs = nowMs;
      made = foreseeRun(under(nowMs), nowMs);
      return made;
    },
    stage: (name, nowMs) => foreseeStage(under(nowMs), name, nowMs),
  };
}

function toSeen(stage: StageProgress | undefined, nowMs: number): SeenStage | undefined {
  if (stage === undefined) return undefined;
  const { state, startedAtMs, items } = stage;
  return {
    state,
    startedAtMs,
    items: items === undefined ? undefined : { total: items.total, ended: countEnded(items) },
    paceMs: remainingMs(stage, nowMs),
  };
}
