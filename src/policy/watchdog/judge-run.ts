// Whether a run that is not over hangs: its lease ran out and nobody took it, nothing of it is committed, nothing of
// it goes on, or it waits for nothing. From facts that somebody gathered; whoever repairs is fenced.

import { STRANDED_MS_MAX } from "../../model/limits.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Sighting } from "./finding.ts";

/** What is known of one run. */
export interface WatchedRun {
  readonly id: string;
  /** As users name it. */
  readonly name: string;
  readonly pipeline: string;
  readonly state: "running" | "waiting";
  readonly reason: string | null;
  readonly foreground: boolean;
  /** When its lease ends; null: it has none. */
  readonly leaseEndsAtMs: number | null;
  /** Last commit of it. */
  readonly updatedAtMs: number;
  readonly wakeAtMs: number | null;
}

/** By what a run is judged. Times of the store, ms. */
export interface RunTerms {
  readonly nowMs: number;
  readonly graceMs: number;
  /** Silence that is worth a warning. */
  readonly silentMs: number;
}

/** Reasons of a wait that ends by a time, in the queue. */
const TIMED: readonly string[] = ["due", "retry", "limit", "quota", "breaker", "budget"];

/** True if a look at more than its row is worth it. */
export function isSuspicious(run: WatchedRun, terms: RunTerms): boolean {
  return (
    isLeaseOver(run, terms) ||
    isSilent(run, terms) ||
    isWithoutWake(run, terms) ||
    isStill(run, terms)
  );
}

/** A lease that ran out, or that is not there, although the run is running. */
function isLeaseOver(run: WatchedRun, { nowMs, graceMs }: RunTerms): boolean {
  if (run.state !== "running") return false;
  return run.leaseEndsAtMs === null || nowMs > run.leaseEndsAtMs + graceMs;
}

/** Nothing of it was committed for the time that is allowed. */
function isSilent(run: WatchedRun, { nowMs, silentMs }: RunTerms): boolean {
  return run.state === "running" && nowMs - run.updatedAtMs >= silentMs;
}

/** It waits for a time, and has none. */
export function isWithoutWake(run: WatchedRun, { nowMs }: RunTerms): boolean {
  if (run.state !== "waiting" || run.wakeAtMs !== null || run.foreground) return false;
  return TIMED.includes(run.reason ?? "") && nowMs - run.updatedAtMs >= STRANDED_MS_MAX;
}

/** It has said nothing for so long that it may be stranded. */
function isStill(run: WatchedRun, { nowMs }: RunTerms): boolean {
  return run.state === "running" && nowMs - run.updatedAtMs >= STRANDED_MS_MAX;
}

/** What is known of a running run besides its row. */
export interface RunWork {
  /** The words of `why`, the first one matters most. */
  readonly blockers: readonly string[];
  /** Its process lives, said so within five beats, and said everything that it runs. */
  readonly isOwnerHeard: boolean;
  /** Attempts of it that its process runs now. */
  readonly running: number;
  /** Stages and items of it that wait. */
  readonly waiting: number;
  /** Its pipeline is known here, so that it can be reclaimed. */
  readonly isKnown: boolean;
}

/** What is to be told of a run. */
export function judgeRun(run: WatchedRun, terms: RunTerms, work: RunWork): readonly Sighting[] {
  const about = { subject: run.name, runId: run.id, next: `npx millrace why ${run.name}` };
  const sightings: Sighting[] = [];
  if (run.leaseEndsAtMs === null && run.state === "running")
    sightings.push({
      ...about,
      rule: "lease-missing",
      message: `Run ${run.name} is running without a lease.`,
    });
  else if (isLeaseOver(run, terms)) sightings.push({ ...about, ...sayLease(run, terms, work) });
  if (isSilent(run, terms)) sightings.push({ ...about, ...saySilence(run, terms, work) });
  if (isWithoutWake(run, terms))
    sightings.push({
      ...about,
      rule: "wake-missing",
      message: `Run ${run.name} waits (${run.reason ?? ""}) without a time at which it goes on.`,
    });
  if (isStranded(run, terms, work))
    sightings.push({
      ...about,
      rule: "stranded",
      level: "red",
      holdMs: STRANDED_MS_MAX,
      message: `Nothing of run ${run.name} runs, waits or is ready, and it is not over.`,
    });
  return sightings;
}

function isStranded(run: WatchedRun, terms: RunTerms, work: RunWork): boolean {
  if (!isStill(run, terms) || isLeaseOver(run, terms) || !work.isOwnerHeard) return false;
  return work.running === 0 && work.waiting === 0;
}

function sayLease(
  run: WatchedRun,
  { nowMs }: RunTerms,
  { isKnown }: RunWork,
): Pick<Sighting, "rule" | "message" | "level" | "holdMs"> {
  const ago = formatDuration(Math.round((nowMs - (run.leaseEndsAtMs ?? nowMs)) / 1_000) * 1_000);
  const what = `The lease of run ${run.name} ran out ${ago} ago`;
  const why = run.foreground
    ? "and the process that started it does not answer; resume it to take it over"
    : isKnown
      ? "and it was not reclaimed yet"
      : `and no worker that knows pipeline "${run.pipeline}" has reclaimed it`;
  // A rescuer needs some seconds for it, and is no finding.
  return { rule: "lease-expired", message: `${what}, ${why}.`, level: "red", holdMs: 15_000 };
}

function saySilence(
  run: WatchedRun,
  { nowMs }: RunTerms,
  { blockers }: RunWork,
): Pick<Sighting, "rule" | "message" | "blockers"> {
  const silent = formatDuration(Math.round((nowMs - run.updatedAtMs) / 1_000) * 1_000);
  const because = blockers[0] === undefined ? "" : `: ${blockers[0]}`;
  return {
    rule: "no-checkpoint",
    message: `Run ${run.name} has committed nothing for ${silent}${because}`,
    blockers,
  };
}
