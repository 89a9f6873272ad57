// Asks the stages that have a `health()` probe, several at once and each with a time of its own: one that fails or hangs
// hides none of the others. A probe that keeps its thread busy can not be given up; it holds all up.

import type { PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import { PROBE_MS_DEFAULT } from "../../model/defaults.ts";
import { ERROR_LIST_CHARS_MAX, PROBES_AT_ONCE_MAX } from "../../model/limits.ts";
import { messageOf } from "../../policy/failure.ts";
import type { Clock } from "../../std/clock.ts";
import { formatDuration } from "../../std/duration.ts";
import { boundedText } from "../../std/json.ts";
import type { StageProbeView } from "../views/health-view.ts";

/** How probes are asked. */
export interface ProbeOptions {
  readonly clock: Clock;
  /** Longest time of one, ms. Default 5 s. */
  readonly probeMs?: number;
}

interface Asked {
  readonly pipeline: string;
  readonly stage: string;
  readonly ask: NonNullable<StageDefinition["health"]>;
}

/** Asks all of them; answers in the order of pipelines and stages, once the last has answered or was given up. */
export async function probeStages(
  definitions: Iterable<PipelineDefinition>,
  options: ProbeOptions,
): Promise<readonly StageProbeView[]> {
  const asked = [...definitions].flatMap(listProbes);
  const views: StageProbeView[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let place = next++; place < asked.length; place = next++) {
      const probe = asked[place];
      if (probe !== undefined) views[place] = await askOne(probe, options);
    }
  };
  await Promise.all(Array.from({ length: PROBES_AT_ONCE_MAX }, work));
  return views;
}

function listProbes({ name: pipeline, stages }: PipelineDefinition): readonly Asked[] {
  return stages.flatMap(({ name, health }) =>
    health === null ? [] : [{ pipeline, stage: name, ask: health }],
  );
}

async function askOne(
  { pipeline, stage, ask }: Asked,
  { clock, probeMs = PROBE_MS_DEFAULT }: ProbeOptions,
): Promise<StageProbeView> {
  const startedMs = clock.monotonicMs();
  const message = await findFault(ask, clock, probeMs);
  const tookMs = Math.round(clock.monotonicMs() - startedMs);
  if (message === null) return { pipeline, stage, status: "ok", tookMs };
  return {
    pipeline,
    stage,
    status: "fail",
    message: boundedText(message, ERROR_LIST_CHARS_MAX),
    tookMs,
  };
}

/** Why it is not good; null: it is. */
async function findFault(ask: Asked["ask"], clock: Clock, probeMs: number): Promise<string | null> {
  const controller = new AbortController();
  const late = `it did not answer within ${formatDuration(probeMs)}`;
  const timeUp = Promise.withResolvers<string>();
  const timer = clock.setTimer(probeMs, () => {
    // Said before the probe hears of it: what it throws for that is no reason of its own.
    timeUp.resolve(late);
    controller.abort(new Error(late));
  });
  try {
    const { signal } = controller;
    return await Promise.race([answerOf(ask, signal), timeUp.promise]);
  } finally {
    timer.cancel();
  }
}

async function answerOf(ask: Asked["ask"], signal: AbortSignal): Promise<string | null> {
  try {
    return (await ask({ signal })) === false ? "it answered false" : null;
  } catch (error) {
    return messageOf(error);
  }
}
