// The plan of a start over a store that is open: what would run, why, how long, and what would refuse it.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { parseDuration, type Duration } from "../../std/duration.ts";
import { planPipeline, type Plan } from "./plan.ts";
import type { MillContext } from "../mill-context.ts";
import { checkInput } from "../prepare-run.ts";
import { readBasisOf } from "../queries/plan-basis.ts";

/** What is planned. */
export interface PlanStartOptions {
  readonly input?: unknown;
  readonly skip?: readonly string[];
  readonly only?: readonly string[];
  readonly until?: string;
  readonly from?: string;
  readonly deadline?: Duration;
}

/** Plans a start. INPUT_INVALID, STAGE_UNKNOWN, CHECKPOINT_MISSING, OPTION_INVALID. */
export async function planStart(
  mill: Pick<MillContext, "store" | "world">,
  definition: PipelineDefinition,
  options: PlanStartOptions,
): Promise<Plan> {
  const { input, skip, only, until, from, deadline } = options;
  await checkInput(definition, input);
  const { history, records, cache, refusal } = await readBasisOf(mill.store, {
    definition,
    input,
    records: only !== undefined || from !== undefined,
    environment: mill.world.environment,
  });
  const deadlineMs = deadline === undefined ? undefined : parseDeadline(deadline);
  return planPipeline(definition, {
    input,
    ...(skip === undefined ? {} : { skip }),
    ...(only === undefined ? {} : { only }),
    ...(until === undefined ? {} : { until }),
    ...(from === undefined ? {} : { from }),
    ...(history === undefined ? {} : { history }),
    ...(records === undefined ? {} : { records }),
    ...(cache === undefined ? {} : { cache }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(refusal === undefined ? {} : { refusal }),
  });
}

function parseDeadline(deadline: Duration): number {
  const parsed = parseDuration(deadline);
  if (parsed.ok) return parsed.value;
  throw new MillraceError("OPTION_INVALID", `deadline: ${parsed.error}.`);
}
