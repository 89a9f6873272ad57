// The gate of a pipeline with `gate: "health"`: whether a run of it may start now. A start that is refused makes no
// run, takes no lease and leaves one event, `run.refused`; who asked tells it, in the transaction of their own where
// they have one. Only what makes a run is a start: `start`, `enqueue`, `rerun`, `requeue`, a trigger, a tick. A `resume`
// passes no gate: its run was let in when it was made, and nothing else brings it to its end.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import { mayStartAt, type HealthVerdict, type StartKind } from "../../policy/health/health.ts";
import type { MillContext } from "../mill-context.ts";
import type { HealthStore } from "./finished-runs.ts";
import { readHealth, type PipelineHealth } from "./read-health.ts";

/** What is to start. */
export interface StartQuestion {
  /** `scheduled`: by a schedule, which no override helps. */
  readonly kind: StartKind;
  /** True: the caller knows that the pipeline is degraded or unstable. Default false. */
  readonly override?: boolean;
  /** Where from, for the event: `schedule nightly`, `cli`. */
  readonly source: string;
}

/** Whether it may. */
export type StartAnswer =
  /** `overridden`: how the pipeline is doing where it started all the same; null: it is healthy, or has no gate. */
  | { readonly kind: "start"; readonly overridden: HealthVerdict | null }
  | {
      readonly kind: "refused";
      readonly health: PipelineHealth;
      /** To be told once, of no run. */
      readonly event: EventDraft;
    };

const START: StartAnswer = Object.freeze({ kind: "start", overridden: null });

/** Asks for the pipeline of that name. One that this process does not know has no gate here. */
export async function mayStart(
  mill: { readonly store: HealthStore; readonly pipelines: MillContext["pipelines"] },
  pipeline: string,
  question: StartQuestion,
): Promise<StartAnswer> {
  const definition = mill.pipelines.get(pipeline);
  if (definition === undefined) return START;
  return await askGate(mill.store, definition, question);
}

/** The same of a definition at hand. */
export async function askGate(
  store: HealthStore,
  { name, gate }: Pick<PipelineDefinition, "name" | "gate">,
  { kind, override = false, source }: StartQuestion,
): Promise<StartAnswer> {
  if (gate === "off") return START;
  const health = await readHealth(store, name);
  const { verdict } = health;
  if (mayStartAt(verdict, kind, override))
    return { kind: "start", overridden: verdict === "healthy" ? null : verdict };
  const reasons = health.reasons.map(({ text }) => text);
  const data = { pipeline: name, source, verdict, reasons };
  return { kind: "refused", health, event: { type: "run.refused", data } };
}

/** What a manual start says. */
export interface ManualStart extends Omit<StartQuestion, "kind"> {
  /** Of the runs to be made; undefined for one without. Where all are known nothing starts, and nothing is refused.
   *  Default: none has one. */
  readonly keys?: readonly (string | undefined)[];
}

/** Keys that are looked up; where there are more some are taken to be new. */
const KEYS_MAX = 1_000;

/** Lets a manual start pass, or tells `run.refused` and throws HEALTH_REFUSED. Answers how the pipeline is doing where
 *  it was overridden; null: there was nothing to override. */
export async function passHealth(
  mill: Pick<MillContext, "store" | "committer">,
  definition: PipelineDefinition,
  { keys = [], ...question }: ManualStart,
): Promise<HealthVerdict | null> {
  const answer = await askGate(mill.store, definition, { ...question, kind: "manual" });
  if (answer.kind === "start") return answer.overridden;
  if (await areKnown(mill.store, definition.name, keys)) return null;
  await mill.committer.write({ kind: "tell-outside", runId: null, events: [answer.event] });
  throw healthRefused(answer.health);
}

async function areKnown(
  store: Pick<MillContext["store"], "findRunByKey">,
  pipeline: string,
  keys: readonly (string | undefined)[],
): Promise<boolean> {
  if (keys.length === 0 || keys.length > KEYS_MAX) return false;
  for (const key of keys) {
    if (key === undefined || (await store.findRunByKey(pipeline, key)) === undefined) return false;
  }
  return true;
}

/** The error for a start that was refused. HEALTH_REFUSED. */
function healthRefused({ pipeline, verdict, reasons }: PipelineHealth): MillraceError {
  const why = reasons.map(({ text }) => text).join("; ");
  const isBlocked = verdict === "blocked";
  return new MillraceError(
    "HEALTH_REFUSED",
    `Pipeline "${pipeline}" is ${verdict}, so that no run of it was started: ${why}.`,
    {
      hint: isBlocked
        ? "look at what broke, then acknowledge it"
        : "start it all the same with --override, by hand",
      next: isBlocked
        ? `npx millrace health ack ${pipeline} --reason 'looked at it'`
        : `npx millrace health ${pipeline}`,
      details: {
        pipeline,
        verdict,
        reasons: reasons.map(({ text, runs }) => ({ text, runs: [...runs] })),
      },
    },
  );
}
