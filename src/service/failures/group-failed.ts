// Failures of many runs by fingerprint, from the events that told them. One failure is told up to three times: by the
// item, by the map stage that sums its items up, and by the run. It counts once, where it happened.

import { assert } from "../../std/error/assert.ts";
import { FAILURE_PLACES_MAX } from "../../model/limits.ts";
import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";
import { toIso } from "../views/time-view.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { runName } from "../queries/find-run.ts";
import { fingerprintOf, textOf, type FailedEvent } from "./failed-event.ts";
import { isMutedStill, type FailureMute } from "./failure-mute.ts";
import type { KnownFailure } from "./known-failures.ts";

/** Where failures of one kind happen. */
export interface FailurePlaceView {
  readonly pipeline: string;
  /** Absent: the run itself. */
  readonly stage?: string;
  /** Failures there. */
  readonly count: number;
}

/** One failure. */
export interface FailureSightView {
  /** Id and short name of the run. */
  readonly run: string;
  readonly name: string;
  readonly pipeline: string;
  readonly stage?: string;
  readonly item?: string;
  readonly at: string;
  /** At most 500 characters. */
  readonly message: string;
  readonly attempts?: number;
}

/** What is known of a kind: seen first within a day; seen before; muted; come again of another definition since. */
export type FailureStatus = (typeof FAILURE_STATUSES)[number];

/** Every status. */
export const FAILURE_STATUSES = ["new", "known", "muted", "returned"] as const;

/** Who muted a kind, and why. */
export interface FailureMuteView {
  readonly at: string;
  readonly actor: string;
  readonly reason: string;
}

/** Failures of one kind. */
export interface FailureGroupView {
  readonly fingerprint: string;
  readonly class: ErrorClass;
  readonly code?: string;
  /** Of the sample. */
  readonly message: string;
  /** Where most of them happen. */
  readonly pipeline: string;
  readonly stage?: string;
  readonly status: FailureStatus;
  /** Of one that is muted, or has returned. */
  readonly mute?: FailureMuteView;
  /** Ever, as far as is remembered. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** Failures in each of the last 24 hours of UTC, the running one last; of those that are counted. */
  readonly trend: readonly number[];
  /** Failures: of items, of stages without items, and of runs that failed by themselves. */
  readonly count: number;
  readonly runs: number;
  readonly items: number;
  /** The most frequent first, at most 20. */
  readonly places: readonly FailurePlaceView[];
  /** The newest one, told by what failed itself. */
  readonly sample: FailureSightView;
}

/** What is known besides the events. */
export interface FailureFacts {
  /** UTC ms of the store's clock. */
  readonly nowMs: number;
  /** By fingerprint. */
  readonly known: ReadonlyMap<string, Pick<KnownFailure, "firstAtMs">>;
  /** By fingerprint. */
  readonly mutes: ReadonlyMap<string, FailureMute>;
}

interface Group {
  readonly fingerprint: string;
  /** Newest first, as they came. */
  readonly told: FailedEvent[];
}

/** Groups, the one that was seen last first; `told` comes newest first. */
export function groupFailed(
  told: readonly FailedEvent[],
  facts: FailureFacts,
): readonly FailureGroupView[] {
  const groups = new Map<string, Group>();
  for (const each of told) {
    const fingerprint = fingerprintOf(each.event);
    if (fingerprint === undefined) continue;
    const group = groups.get(fingerprint) ?? { fingerprint, told: [] };
    group.told.push(each);
    groups.set(fingerprint, group);
  }
  return [...groups.values()].map((group) => toView(group, facts));
}

/** Failures as they are counted, newest first: what only sums others up is left out where these are known. */
export function listSights(told: readonly FailedEvent[]): readonly FailureSightView[] {
  return listOwn(told).map(toSight);
}

function toView({ fingerprint, told }: Group, facts: FailureFacts): FailureGroupView {
  const own = listOwn(told);
  // The newest. Never absent: what sums others up counts where these are not known.
  const [sample] = own;
  assert(sample !== undefined, "A group holds a failure.");
  const places = countPlaces(own);
  const seen = told.map(({ event }) => event.atMs);
  const firstAtMs = Math.min(
    seen.at(-1) ?? 0,
    facts.known.get(fingerprint)?.firstAtMs ?? Number.MAX_SAFE_INTEGER,
  );
  const errorClass = ERROR_CLASSES.find((word) => word === sample.event.data?.["class"]);
  const code = textOf(sample.event.data?.["code"]);
  const { pipeline = "", stage } = places[0] ?? {};
  return {
    fingerprint,
    class: errorClass ?? "unknown",
    ...(code === undefined ? {} : { code }),
    message: toSight(sample).message,
    pipeline,
    ...(stage === undefined ? {} : { stage }),
    ...judge({ fingerprint, told }, { ...facts, firstAtMs }),
    firstAt: toIso(firstAtMs),
    lastAt: toIso(seen[0] ?? 0),
    trend: countHours(own, facts.nowMs),
    count: own.length,
    runs: new Set(told.map(({ run }) => run.id)).size,
    items: new Set(own.flatMap(itemOf)).size,
    places: places.slice(0, FAILURE_PLACES_MAX),
    sample: toSight(sample),
  };
}

/** A mute holds until the failure comes of another definition; what nobody muted is new for a day. */
function judge(
  { fingerprint, told }: Group,
  { mutes, nowMs, firstAtMs }: FailureFacts & { readonly firstAtMs: number },
): Pick<FailureGroupView, "status" | "mute"> {
  const mute = mutes.get(fingerprint);
  if (mute === undefined) return { status: nowMs - firstAtMs < DAY_MS ? "new" : "known" };
  const { atMs, actor, reason } = mute;
  const status = isMutedStill(mute, told) ? "muted" : "returned";
  return { status, mute: { at: toIso(atMs), actor, reason } };
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const DAY_MS = DAY_HOURS * HOUR_MS;

function countHours(own: readonly FailedEvent[], nowMs: number): readonly number[] {
  const counts = Array.from({ length: DAY_HOURS }, () => 0);
  const last = Math.floor(nowMs / HOUR_MS);
  for (const { event } of own) {
    const at = DAY_HOURS - 1 - (last - Math.floor(event.atMs / HOUR_MS));
    if (counts[at] !== undefined) counts[at] += 1;
  }
  return counts;
}

/** What failed itself: a stage's word only where none of its items is known, a run's where nothing in it is. */
function listOwn(told: readonly FailedEvent[]): readonly FailedEvent[] {
  const inner = new Set<string>();
  for (const { event, run } of told) {
    const kind = `${run.id}\n${fingerprintOf(event) ?? ""}`;
    if (event.type === "item.failed") inner.add(`${kind}\n${event.stage ?? ""}`);
    if (event.type !== "run.failed") inner.add(kind);
  }
  return told.filter(({ event, run }) => {
    if (event.type === "item.failed") return true;
    const kind = `${run.id}\n${fingerprintOf(event) ?? ""}`;
    return !inner.has(event.type === "run.failed" ? kind : `${kind}\n${event.stage ?? ""}`);
  });
}

function itemOf({ event, run }: FailedEvent): readonly string[] {
  return event.item === undefined ? [] : [`${run.id}\n${event.stage ?? ""}\n${event.item}`];
}

function countPlaces(own: readonly FailedEvent[]): readonly FailurePlaceView[] {
  const places = new Map<string, FailurePlaceView>();
  for (const { event, run } of own) {
    const stage = stageOf(event);
    const key = `${run.pipeline}\n${stage ?? ""}`;
    const known = places.get(key);
    places.set(key, {
      pipeline: run.pipeline,
      ...(stage === undefined ? {} : { stage }),
      count: (known?.count ?? 0) + 1,
    });
  }
  return [...places.values()].toSorted((one, other) => other.count - one.count);
}

function toSight({ event, run }: FailedEvent): FailureSightView {
  const stage = stageOf(event);
  const attempts = event.data?.["attempts"];
  return {
    run: run.id,
    name: runName(run),
    pipeline: run.pipeline,
    ...(stage === undefined ? {} : { stage }),
    ...(event.item === undefined ? {} : { item: event.item }),
    at: toIso(event.atMs),
    message: textOf(event.data?.["message"]) ?? "",
    ...(typeof attempts === "number" ? { attempts } : {}),
  };
}

/** Of a run's own word: the stage that it names. */
function stageOf({ stage, data }: MillraceEvent): string | undefined {
  return stage ?? textOf(data?.["stage"]);
}
