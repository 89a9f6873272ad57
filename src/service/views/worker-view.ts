// A process that works, as others see it.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { WORKER_ALIVE_MS_MAX } from "../../model/limits.ts";
import type { WorkEntry, WorkerFacts } from "../../model/worker.ts";
import type { Machine } from "../../std/machine.ts";
import type { WorkerRecord } from "../../storage/store.ts";
import { isQueueMark } from "../queries/queue/queue-mark.ts";
import type { LostWorker } from "../worker/lost-workers.ts";
import { toIso } from "./time-view.ts";

/** `yes`: it lives. `silent`: it should have said something by now, or nobody here can tell. `gone`: it is dead. */
export type WorkerAlive = "yes" | "silent" | "gone";

/** One attempt that a process runs. */
export interface WorkView {
  readonly run: string;
  readonly stage: string;
  readonly item?: string;
  readonly attempt: number;
  readonly startedAt: string | null;
  readonly progress?: { readonly done: number; readonly total?: number; readonly note?: string };
}

/** One process. */
export interface WorkerView {
  readonly id: string;
  readonly name: string;
  /** `worker`: it works queues. `process`: it works on runs that it started. */
  readonly kind: "worker" | "process";
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly alive: WorkerAlive;
  readonly startedAt: string | null;
  readonly lastBeatAt: string;
  /** Since then, ms. An idle worker says nothing again: its process is asked whether it lives. */
  readonly beatAgoMs: number;
  readonly idle: boolean;
  readonly draining: boolean;
  /** Why it claims nothing for now; null: it claims. */
  readonly heldBy: string | null;
  readonly slots: number;
  readonly slotsUsed: number;
  readonly pipelines: readonly { readonly name: string; readonly definition: string }[];
  readonly memory: { readonly usedBytes: number; readonly limitBytes: number | null } | null;
  /** Wall time less the store's time at its last beat, ms. */
  readonly clockSkewMs: number;
  /** What it runs, as it said last; at most 100. */
  readonly running: readonly WorkView[];
  /** Of one that was lost: what was reclaimed from it. */
  readonly lost: {
    readonly at: string;
    readonly reason: string;
    readonly runs: readonly string[];
    readonly count: number;
  } | null;
}

/** Besides the record. */
export interface WorkerViewParts {
  readonly machine: Pick<Machine, "isGone">;
  /** Of the store's clock. */
  readonly nowMs: number;
  readonly lost: LostWorker | undefined;
}

/** How a process is shown. */
export function toWorkerView(record: WorkerRecord, parts: WorkerViewParts): WorkerView {
  const { owner, beatAtMs, running } = record;
  const facts = readFacts(record.facts);
  const isIdle = running.some(isQueueMark);
  const alive = toAlive(record, parts);
  return {
    id: owner.worker,
    name: facts?.name ?? `${owner.host}-${owner.pid}`,
    kind: facts?.kind ?? (isIdle ? "worker" : "process"),
    host: owner.host,
    pid: owner.pid,
    version: facts?.version ?? "",
    alive,
    startedAt: facts === null ? null : toIso(facts.startedAtMs),
    lastBeatAt: toIso(beatAtMs),
    beatAgoMs: Math.max(0, parts.nowMs - beatAtMs),
    idle: alive !== "gone" && isIdle,
    draining: facts?.draining ?? false,
    heldBy: facts?.heldBy ?? null,
    slots: facts?.slots ?? 0,
    slotsUsed: alive === "gone" || isIdle ? 0 : (facts?.slotsUsed ?? 0),
    pipelines: (facts?.pipelines ?? []).map(({ name, hash }) => ({ name, definition: hash })),
    memory: facts?.memory ?? null,
    clockSkewMs: facts?.clockSkewMs ?? 0,
    running: alive === "gone" ? [] : (facts?.work ?? []).map(toWorkView),
    lost: toLostView(parts.lost),
  };
}

/** A process is asked about by the machine; where that cannot tell, its beats speak. */
function toAlive(
  { owner, beatAtMs, running }: WorkerRecord,
  { machine, nowMs, lost }: WorkerViewParts,
): WorkerAlive {
  const gone = machine.isGone(owner);
  const wasLost = lost !== undefined && lost.lostAtMs >= beatAtMs;
  if (gone === true || (gone === undefined && wasLost)) return "gone";
  const isFresh = nowMs - beatAtMs <= WORKER_ALIVE_MS_MAX;
  // What is idle says so once, and nothing more; so does a process that has left its last run.
  const isQuiet = running.length === 0 || running.some(isQueueMark);
  return isFresh || (gone === false && isQuiet) ? "yes" : "silent";
}

/** Null where another version wrote what this one cannot show. */
function readFacts(facts: WorkerFacts | null): WorkerFacts | null {
  const raw: unknown = facts;
  if (!isPlainRecord(raw) || !Array.isArray(raw["work"]) || !Array.isArray(raw["pipelines"]))
    return null;
  return typeof raw["startedAtMs"] === "number" ? facts : null;
}

function toWorkView({ startedAtMs, index: _place, ...rest }: WorkEntry): WorkView {
  return { ...rest, startedAt: startedAtMs === null ? null : toIso(startedAtMs) };
}

function toLostView(lost: LostWorker | undefined): WorkerView["lost"] {
  if (lost === undefined) return null;
  const { lostAtMs, reason, runs, count } = lost;
  return { at: toIso(lostAtMs), reason, runs, count };
}
