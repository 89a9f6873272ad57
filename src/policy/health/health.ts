// How a pipeline is doing, from its last finished runs, and whether a run of it may start. First match wins: `blocked`
// (what it stands on broke under the last run, or that run was taken from its process by force), `unstable` (3 of the
// last 5 failed), `degraded` (the last two failed at a stage they share), `healthy`. Pure: runs come in as data.
//
// A cancelled run takes its place among the last ones and is no failure. Runs that never began are not given here.

import type { ErrorClass } from "../../model/outcome.ts";
import type { RunState } from "../../model/run.ts";
import { sayInfrastructure } from "./infrastructure.ts";

/** Every verdict, the best first. */
export const HEALTH_VERDICTS = ["healthy", "degraded", "unstable", "blocked"] as const;

/** How a pipeline is doing. */
export type HealthVerdict = (typeof HEALTH_VERDICTS)[number];

/** Finished runs that a verdict rests on. */
export const HEALTH_RUNS_MAX = 10;

const UNSTABLE_OF = 5;
const UNSTABLE_FAILED = 3;
/** Stages that a reason names. */
const STAGES_NAMED_MAX = 3;

/** A finished run, as far as health asks. */
export interface HealthRun {
  readonly id: string;
  /** Short name, for reasons. */
  readonly name: string;
  readonly state: Extract<RunState, "succeeded" | "failed" | "skipped" | "cancelled">;
  /** Of a run that failed. */
  readonly class: ErrorClass | null;
  /** True: it was taken from its process by `cancel --force`. */
  readonly isForced: boolean;
  /** Asked of the last two alone, where both failed. */
  readonly failedStages: readonly string[];
}

/** Why a verdict is not `healthy`. */
export interface HealthReason {
  readonly text: string;
  /** Short names of the runs that say so, the newest first. */
  readonly runs: readonly string[];
}

/** The verdict on a pipeline. */
export interface HealthJudgement {
  readonly verdict: HealthVerdict;
  /** One for each verdict that would match, the one that counts first; none where it is healthy. */
  readonly reasons: readonly HealthReason[];
  /** Id of the run that blocks it; null: none does. */
  readonly blockedBy: string | null;
}

/**
 * Judges a pipeline.
 * @param runs Finished runs, the one that ended last first; beyond HEALTH_RUNS_MAX none counts.
 * @param acknowledged Id of a run that no longer blocks since somebody has looked at it; null: none.
 */
export function judgeHealth(
  runs: readonly HealthRun[],
  acknowledged: string | null,
): HealthJudgement {
  const last = runs.slice(0, HEALTH_RUNS_MAX);
  const blocking = findBlocking(last, acknowledged);
  const found: readonly (readonly [HealthVerdict, HealthReason | null])[] = [
    ["blocked", blocking],
    ["unstable", findUnstable(last)],
    ["degraded", findDegraded(last)],
  ];
  const matching = found.flatMap(([verdict, reason]) =>
    reason === null ? [] : [{ verdict, reason }],
  );
  return {
    verdict: matching[0]?.verdict ?? "healthy",
    reasons: matching.map(({ reason }) => reason),
    blockedBy: blocking === null ? null : (last[0]?.id ?? null),
  };
}

function findBlocking(
  [last]: readonly HealthRun[],
  acknowledged: string | null,
): HealthReason | null {
  if (last === undefined || last.id === acknowledged) return null;
  if (last.state === "cancelled" && last.isForced)
    return { text: `${last.name} was taken from its process by force`, runs: [last.name] };
  const said =
    last.state === "failed" && last.class !== null ? sayInfrastructure(last.class) : null;
  return said === null
    ? null
    : { text: `${said} during ${last.name} (${String(last.class)})`, runs: [last.name] };
}

function findUnstable(runs: readonly HealthRun[]): HealthReason | null {
  const window = runs.slice(0, UNSTABLE_OF);
  const failed = window.filter(isFailed);
  if (failed.length < UNSTABLE_FAILED) return null;
  const names = failed.map(({ name }) => name);
  return { text: `${failed.length} of the last ${window.length} runs failed`, runs: names };
}

function findDegraded(runs: readonly HealthRun[]): HealthReason | null {
  if (!needsStages(runs)) return null;
  const [last, before] = runs;
  const shared = last?.failedStages.filter((stage) => before?.failedStages.includes(stage)) ?? [];
  if (shared.length === 0) return null;
  const more =
    shared.length > STAGES_NAMED_MAX ? ` and ${shared.length - STAGES_NAMED_MAX} more` : "";
  const text = `${shared.slice(0, STAGES_NAMED_MAX).join(", ")}${more} failed in the last 2 runs`;
  return { text, runs: runs.slice(0, 2).map(({ name }) => name) };
}

/** True where the verdict asks which stages failed in the last two runs. */
export function needsStages(runs: readonly Pick<HealthRun, "state">[]): boolean {
  return runs.length >= 2 && runs.slice(0, 2).every(isFailed);
}

function isFailed({ state }: Pick<HealthRun, "state">): boolean {
  return state === "failed";
}

/** Who starts: a schedule, or somebody who can say that they know. */
export type StartKind = "scheduled" | "manual";

/**
 * Whether a run may start. A schedule starts healthy pipelines alone, whatever it says; anybody else may start all but
 * blocked ones, saying so where one is not healthy.
 */
export function mayStartAt(
  verdict: HealthVerdict,
  kind: StartKind,
  isOverridden: boolean,
): boolean {
  if (verdict === "healthy") return true;
  return kind === "manual" && isOverridden && verdict !== "blocked";
}
