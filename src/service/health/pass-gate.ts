// The way of a start by hand past the gate of its pipeline: one of a single run, or of many. A pipeline without a gate
// loads nothing for it.

import type { PipelineDefinition } from "../../model/definition.ts";
import type { HealthVerdict } from "../../policy/health/health.ts";
import type { MillContext } from "../mill-context.ts";
import type { ManualStart } from "./may-start.ts";

/** Lets a start by hand pass, or tells `run.refused` and throws HEALTH_REFUSED. Answers how the pipeline is doing where
 *  it was overridden; null: there was nothing to override. */
export async function passGate(
  mill: Pick<MillContext, "store" | "committer">,
  definition: PipelineDefinition,
  start: ManualStart,
): Promise<HealthVerdict | null> {
  if (definition.gate === "off") return null;
  const { passHealth } = await import("./may-start.ts");
  return await passHealth(mill, definition, start);
}

/** Lets starts pass, or throws HEALTH_REFUSED. */
export type Gate = (definition: PipelineDefinition) => Promise<HealthVerdict | null>;

/** The same for runs that are started together: each pipeline is asked once, and a refusal is told once. */
export function askOnce(mill: Pick<MillContext, "store" | "committer">, start: ManualStart): Gate {
  const answers = new Map<string, ReturnType<Gate>>();
  return async (definition) => {
    const answer = answers.get(definition.name) ?? passGate(mill, definition, start);
    answers.set(definition.name, answer);
    return await answer;
  };
}
