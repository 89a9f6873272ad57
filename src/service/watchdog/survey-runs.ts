// Looks at runs that are not over: leases that ran out, silence, runs of which nothing goes on, waits without an end.
// What a repair can put right without touching live work is put right, under the epoch that was seen.

import type { Survey } from "../../engine/upkeep/watchdog.ts";
import { RUNNING_NAMES_MAX, WORKER_ALIVE_MS_MAX } from "../../model/limits.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Sighting } from "../../policy/watchdog/finding.ts";
import {
  isSuspicious,
  isWithoutWake,
  judgeRun,
  type RunTerms,
  type RunWork,
  type WatchedRun,
} from "../../policy/watchdog/judge-run.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Store } from "../../storage/store.ts";
import { explainRun } from "../explain.ts";
import type { MillContext } from "../mill-context.ts";
import { runName } from "../queries/find-run.ts";
import { readRunFacts, stageStateOf, type RunFacts } from "../queries/run-facts.ts";
import { rescueRuns } from "../worker/rescuer.ts";
import { RunScan } from "./run-scan.ts";
import { wakeStranded } from "./wake-stranded.ts";

/** Looks at the runs of a store. */
export class RunSurvey implements Survey {
  readonly name: string = "runs";
  readonly isShared: boolean = true;
  readonly #mill: MillContext;
  /** Silence of a running run that is worth a warning. */
  silentMs: number;
  readonly #running: RunScan;
  readonly #waiting: RunScan;
  /** What was told of a run is a commit of it, and no sign of life. */
  readonly #told: Map<string, { readonly atMs: number; readonly sinceMs: number }> = new Map();

  /** @param silentMs Silence of a running run that is worth a warning. */
  constructor(mill: MillContext, silentMs: number) {
    this.#mill = mill;
    this.silentMs = silentMs;
    this.#running = new RunScan(mill.store, "running");
    this.#waiting = new RunScan(mill.store, "waiting");
  }

  /** An event of this run was told from here, which had last moved at `beforeMs`. */
  noteTold(runId: string, beforeMs: number, atMs: number): void {
    const known = this.#told.get(runId);
    const sinceMs = known?.atMs === beforeMs ? known.sinceMs : beforeMs;
    this.#told.set(runId, { atMs, sinceMs });
  }

  async look(): Promise<readonly Sighting[]> {
    // Workers do it every second; without one here nobody might.
    if (this.#mill.workers.size === 0) await rescueRuns(this.#mill);
    const terms = this.#toTerms();
    const suspicious = (run: RunRecord): boolean => isSuspicious(this.#toWatched(run), terms);
    const running = await this.#running.look(suspicious);
    const waiting = await this.#waiting.look(suspicious);
    const sightings: Sighting[] = [];
    for (const run of [...running, ...waiting]) sightings.push(...(await this.#judge(run, terms)));
    this.#forget([...running, ...waiting]);
    return sightings;
  }

  #toTerms(): RunTerms {
    const { store, leaseTerms } = this.#mill;
    return { nowMs: store.nowMs(), graceMs: leaseTerms.graceMs, silentMs: this.silentMs };
  }

  #toWatched(run: RunRecord): WatchedRun {
    const told = this.#told.get(run.id);
    const { id, pipeline, reason, foreground, wakeAtMs } = run;
    const hasLease = run.lease !== null && run.lease.owner.worker !== "";
    return {
      id,
      name: runName(run),
      pipeline,
      state: run.state === "running" ? "running" : "waiting",
      reason,
      foreground,
      leaseEndsAtMs: hasLease ? (run.lease?.expiresAtMs ?? null) : null,
      updatedAtMs: told?.atMs === run.updatedAtMs ? told.sinceMs : run.updatedAtMs,
      wakeAtMs,
    };
  }

  async #judge(run: RunRecord, terms: RunTerms): Promise<readonly Sighting[]> {
    const watched = this.#toWatched(run);
    if (isWithoutWake(watched, terms) && (await wakeStranded(this.#mill, run))) return [];
    return judgeRun(watched, terms, await this.#readWork(run));
  }

  async #readWork(run: RunRecord): Promise<RunWork> {
    const { store, machine, pipelines } = this.#mill;
    const facts = await readRunFacts(store, run, machine);
    return {
      blockers: await listBlockers(store, facts),
      isOwnerHeard: isOwnerHeard(facts),
      running: facts.running.length,
      waiting: countWaiting(facts),
      isKnown: pipelines.has(run.pipeline),
    };
  }

  #forget(suspects: readonly RunRecord[]): void {
    const kept = new Set(suspects.map(({ id }) => id));
    for (const id of this.#told.keys()) if (!kept.has(id)) this.#told.delete(id);
  }
}

/** What is being worked on, then what the stages that wait say; else what `why` says of the run. */
async function listBlockers(store: Store, facts: RunFacts): Promise<readonly string[]> {
  const found = listWork(facts);
  for (const { name } of facts.stages) {
    if (found.length >= BLOCKERS_MAX) break;
    if (stageStateOf(facts, name) !== "waiting") continue;
    const { blockers } = await explainRun(store, facts.run, { stage: name });
    found.push(...blockers.map(({ text }) => `${name}: ${text}`));
  }
  if (found.length > 0) return found.slice(0, BLOCKERS_MAX);
  const { summary, blockers } = await explainRun(store, facts.run);
  return blockers.length === 0 ? [summary] : blockers.map(({ text }) => text);
}

function listWork({ worker, name, nowMs, running }: RunFacts): string[] {
  if (running.length === 0) return [];
  const work = (worker?.facts?.work ?? []).filter(({ run }) => run === name);
  return work.slice(0, BLOCKERS_MAX).map(({ stage, item, attempt, startedAtMs }) => {
    const what = item === undefined ? stage : `${stage}/${item}`;
    const sinceMs = Math.max(0, nowMs - (startedAtMs ?? nowMs));
    const since = formatDuration(Math.round(sinceMs / 1_000) * 1_000);
    return `${what} has been running for ${since} (attempt ${attempt})`;
  });
}

/** Blockers that are named. */
const BLOCKERS_MAX = 10;

function isOwnerHeard({ worker, nowMs }: RunFacts): boolean {
  if (worker === undefined || nowMs - worker.beatAtMs > WORKER_ALIVE_MS_MAX) return false;
  // One that runs more than it can name may run this one, too.
  return worker.running.length < RUNNING_NAMES_MAX;
}

function countWaiting(facts: RunFacts): number {
  const stages = facts.stages.filter(({ name }) => stageStateOf(facts, name) === "waiting");
  return stages.length + facts.waitingItems.size;
}
