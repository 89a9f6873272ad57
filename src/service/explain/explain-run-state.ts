// Why a run is in its state.

import type { Blocker } from "../../model/blocker.ts";
import type { RunRecord } from "../../model/run.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Store } from "../../storage/store.ts";
import { findStageBlockers, isOver } from "../queries/find-blockers.ts";
import { findPlaceBlocker } from "../queries/find-place-blocker.ts";
import { runName } from "../queries/find-run.ts";
import { readQueuePosition } from "../queries/queue/queue-position.ts";
import { stageStateOf, type RunFacts } from "../queries/run-facts.ts";
import { toIso } from "../views/time-view.ts";
import { findGate } from "../views/gate-blocker.ts";
import { findRunBlocker, isGateReason, listGates } from "../views/run-view.ts";
import type { Answer } from "./answer.ts";
import { sayCrashes } from "./explain-crashes.ts";
import { tellDue, tellQueued } from "./explain-queued.ts";
import { sayGatesNext } from "./gate-words.ts";
import { refreshGates } from "./refresh-gates.ts";
import { sayCount, sayFailure, saySince, sayWhySkipped } from "./words.ts";

/** Explains the run itself. */
export async function explainRunState(store: Store, facts: RunFacts): Promise<Answer> {
  const { run } = facts;
  const lineage = await sayLineage(store, run);
  const told = await tell(store, facts);
  const crashes = await sayCrashes(store, facts);
  const notes = [...told.notes, ...sayLife(run), ...crashes, ...lineage];
  return { state: run.state, ...told, notes };
}

async function tell(store: Store, facts: RunFacts): Promise<Omit<Answer, "state">> {
  const full = await findPlaceBlocker(store, facts);
  switch (facts.run.state) {
    case "queued":
      return tellQueued({ facts, full, position: await readQueuePosition(store, facts.run) });
    case "running":
      return facts.isAbandoned ? tellLost(facts) : tellRunning(store, facts);
    case "waiting":
      if (facts.run.reason === "busy") return tellWaitsForPlace(facts, full);
      if (isGateReason(facts.run.reason)) return tellParked(facts, await findGates(store, facts));
      return facts.run.wakeAtMs === null ? tellWaiting(facts) : tellDue(facts);
    case "succeeded":
      return tellEnded(facts, sayDone(facts));
    case "failed":
      return tellFailed(facts);
    case "skipped":
      return tellEnded(facts, `was skipped: ${sayWhySkipped(facts.run.reason)}`);
    case "cancelled":
      return tellEnded(
        facts,
        `was cancelled: "${facts.run.cancelReason ?? facts.run.reason ?? "no reason given"}"`,
        [`goes on with it: npx millrace resume ${facts.name}`],
      );
  }
}

/** For which resources anything in it waits, as these stand now. */
async function findGates(store: Store, facts: RunFacts): Promise<readonly Blocker[]> {
  return await refreshGates(store, listGates(facts).slice(0, GATES_MAX), "many");
}

/** It gave its place back to wait. */
function tellParked(facts: RunFacts, gates: readonly Blocker[]): Omit<Answer, "state"> {
  const told = tellDue(facts);
  const [first] = gates;
  if (first === undefined) return told;
  const { run, name, nowMs } = facts;
  const wakes =
    run.wakeAtMs === null
      ? `goes on after the last commit: npx millrace resume ${name}`
      : `goes back to its queue at ${toIso(run.wakeAtMs)}, or when it is resumed: npx millrace resume ${name}`;
  return {
    summary: `${name} is waiting ${saySince(run.updatedAtMs, nowMs)}, parked: ${first.text}.`,
    blockers: gates,
    notes: [wakes, ...told.notes, ...sayGatesNext(gates)],
  };
}

const GATES_MAX = 5;

async function tellRunning(store: Store, facts: RunFacts): Promise<Omit<Answer, "state">> {
  const { run, name, nowMs, running, worker } = facts;
  const stages = facts.stages.map(({ name: stage }) => ({
    stage,
    state: stageStateOf(facts, stage),
  }));
  const done = stages.filter(({ state }) => isOver(state)).length;
  const since = run.startedAtMs === null ? "" : ` ${saySince(run.startedAtMs, nowMs)}`;
  const retries = stages
    .filter(({ state }) => state === "waiting")
    .flatMap(({ stage }) => findStageBlockers(facts, stage))
    .filter((blocker) => findGate(blocker) === undefined);
  const gates = await findGates(store, facts);
  const owner = worker?.owner ?? run.lease?.owner;
  const blockers = [...gates, ...retries];
  return {
    summary: `${name} is running${since}: ${done} of ${sayCount(stages.length, "stage")} done.`,
    blockers,
    notes: [
      ...sayGatesNext(gates),
      ...sayRunsNow(running, blockers.length > 0),
      ...(owner === undefined ? [] : [`worked on by process ${owner.pid} on ${owner.host}`]),
      ...(run.cancelRequestedAtMs === null
        ? []
        : [
            `its cancel was requested at ${toIso(run.cancelRequestedAtMs)}: "${run.cancelReason ?? ""}"`,
          ]),
    ],
  };
}

/** Where nothing is said to run, and what it waits for is known, there is nothing to add. */
function sayRunsNow(running: readonly string[], isHeld: boolean): readonly string[] {
  if (running.length === 0) return isHeld ? [] : ["its process has not said yet what it runs now"];
  const more = running.length > 10 ? ` and ${running.length - 10} more` : "";
  return [`runs now: ${running.slice(0, 10).join(", ")}${more}`];
}

/** The row still says running, and nobody is there. */
function tellLost(facts: RunFacts): Omit<Answer, "state"> {
  const { run, name } = facts;
  const owner = run.lease?.owner;
  const who = owner === undefined ? "its process" : `process ${owner.pid} on ${owner.host}`;
  return {
    summary: `${name} is interrupted: ${who}, which worked on it, is gone.`,
    blockers: listBlocker(findRunBlocker(facts)),
    notes: [
      run.foreground
        ? `goes on after the last commit: npx millrace resume ${name}`
        : "goes on after the last commit: npx millrace queue run --drain",
    ],
  };
}

function tellWaiting(facts: RunFacts): Omit<Answer, "state"> {
  const { run, name, nowMs } = facts;
  const since = saySince(run.updatedAtMs, nowMs);
  const reason = run.reason ?? "interrupted";
  const why =
    reason === "interrupted"
      ? "the process that worked on it was stopped or died, and a run of this kind is taken by no other"
      : reason;
  return {
    summary: `${name} is waiting ${since}: ${why}.`,
    blockers: listBlocker(findRunBlocker(facts)),
    notes: [`goes on after the last commit: npx millrace resume ${name}`],
  };
}

/** Its starter is there and waits, or was: nobody else takes it unasked. */
function tellWaitsForPlace(facts: RunFacts, full: Blocker | undefined): Omit<Answer, "state"> {
  const { run, name, nowMs } = facts;
  const why = full?.text ?? "its pipeline has a place, which the process that started it takes now";
  return {
    summary: `${name} is waiting ${saySince(run.updatedAtMs, nowMs)}: ${why}.`,
    blockers: listBlocker(full ?? findRunBlocker(facts)),
    notes: [`starts it here, if that process is gone: npx millrace resume ${name}`],
  };
}

function listBlocker(blocker: Blocker | undefined): readonly Blocker[] {
  return blocker === undefined ? [] : [blocker];
}

function tellFailed(facts: RunFacts): Omit<Answer, "state"> {
  const { run, name } = facts;
  const { failure } = run;
  const next = [`redoes what failed, keeps the rest: npx millrace resume ${name}`];
  if (failure === null) {
    return tellEnded(facts, `failed: ${run.reason ?? "no error was recorded"}`, next);
  }
  const item = failure.item === undefined ? "" : `/${failure.item.key}`;
  const at = failure.stage === undefined ? "" : ` because "${failure.stage}${item}" failed`;
  const where =
    failure.stage === undefined ? [] : [`says more: npx millrace why ${name}/${failure.stage}`];
  // What ended the run as a whole (a retry rule, a crash too many) leaves a reason besides the failure.
  const isSaid = run.reason === failure.code || failure.message.startsWith(run.reason ?? "");
  const ruled = run.reason === null || isSaid ? [] : [`ended early: ${run.reason}`];
  const said = `failed${at} with ${sayFailure(failure)}`;
  return tellEnded(facts, said, [...ruled, ...next, ...where]);
}

function sayDone({ run, stages }: RunFacts): string {
  const took = run.durationMs === null ? "" : ` in ${formatDuration(run.durationMs)}`;
  const warnings = run.warnings === 0 ? "" : `, with ${sayCount(run.warnings, "warning")}`;
  return `succeeded${took}: ${sayCount(stages.length, "stage")}${warnings}`;
}

function tellEnded(
  facts: RunFacts,
  said: string,
  notes: readonly string[] = [],
): Omit<Answer, "state"> {
  const { run, name } = facts;
  return {
    summary: `${name} ${said}${said.endsWith(".") ? "" : "."}`,
    blockers: [
      {
        kind: "finished",
        name,
        ...(run.endedAtMs === null ? {} : { sinceMs: run.endedAtMs }),
        basis: "exact",
        text: `it has ended: ${run.state}`,
      },
    ],
    notes,
  };
}

/** What else happened to it. */
function sayLife({ retries, resumes, crashes }: RunRecord): readonly string[] {
  const facts = [
    retries === 0 ? "" : `${sayCount(retries, "attempt")} ended in a retry`,
    resumes === 0 ? "" : `resumed ${resumes === 1 ? "once" : `${resumes} times`}`,
    crashes === 0 ? "" : `lost its process ${crashes === 1 ? "once" : `${crashes} times`}`,
  ].filter((fact) => fact !== "");
  return facts.length === 0 ? [] : [facts.join(", ")];
}

async function sayLineage(store: Store, run: RunRecord): Promise<readonly string[]> {
  const parent = run.parent === null ? undefined : await store.findRun(run.parent);
  if (parent === undefined) return [];
  const from = run.settings.from === undefined ? "" : `, from stage "${run.settings.from}" on`;
  return [`made from run ${runName(parent)}${from}`];
}
