// Why a start by hand would be refused now, for a plan: the gate of the pipeline is asked, and nobody is told.

import type { Blocker } from "../../model/blocker.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { HealthStore } from "../health/finished-runs.ts";

/** What stands in the way of a start without an override; undefined: nothing. */
export async function findRefusal(
  store: HealthStore,
  definition: Pick<PipelineDefinition, "name" | "gate">,
): Promise<Blocker | undefined> {
  if (definition.gate === "off") return undefined;
  const { askGate } = await import("../health/may-start.ts");
  const answer = await askGate(store, definition, { kind: "manual", source: "plan" });
  if (answer.kind === "start") return undefined;
  const { pipeline, verdict, reasons } = answer.health;
  const why = reasons.map(({ text }) => text).join("; ");
  const text = `pipeline "${pipeline}" is ${verdict}: ${why}`;
  return { kind: "policy", name: pipeline, basis: "unknown", text };
}
