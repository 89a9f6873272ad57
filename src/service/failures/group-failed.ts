// Failures of many runs by fingerprint, from the events that told them. One failure is told up to three times: by the
// item, by the map stage that sums its items up, and by the run. It counts once, where it happened.

import { assert } from "../../std/error/assert.ts";
import { FAILURE_PLACES_MAX } from "../../model/limits.ts";
import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";
import { toIso } from "../views/time-view.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { RunRecord } from "../../model/run.ts";
import { runName } from "../queries/find-run.ts";

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
  readonly firstAt: string;
  readonly lastAt: string;
  /** Failures: of items, of stages without items, and of runs that failed by themselves. */
  readonly count: number;
  readonly runs: number;
  readonly items: number;
  /** The most frequent first, at most 20. */
  readonly places: readonly FailurePlaceView[];
  /** The newest one, told by what failed itself. */
  readonly sample: FailureSightView;
}

/** An event that tells a failure, and its run. */
export interface FailedEvent {
  readonly event: MillraceEvent;
  readonly run: RunRecord;
}

interface Group {
  readonly fingerprint: string;
  /** Newest first, as they came. */
  readonly told: FailedEvent[];
}

/** Groups, the one that was seen last first; `told` comes newest first. */
export function groupFailed(told: readonly FailedEvent[]): readonly FailureGroupView[] {
  const groups = new Map<string, Group>();
  for (const each of told) {
    const fingerprint = fingerprintOf(each.event);
    if (fingerprint === undefined) continue;
    const group = groups.get(fingerprint) ?? { fingerprint, told: [] };
    group.told.push(each);
    groups.set(fingerprint, group);
  }
  return [...groups.values()].map(toView);
}

/** Fingerprint that an event tells; undefined: it tells none. */
export function fingerprintOf({ data }: MillraceEvent): string | undefined {
  return textOf(data?.["fingerprint"]);
}

/** Failures as they are counted, newest first: what only sums others up is left out where these are known. */
export function listSights(told: readonly FailedEvent[]): readonly FailureSightView[] {
  return listOwn(told).map(toSight);
}

function toView({ fingerprint, told }: Group): FailureGroupView {
  const own = listOwn(told);
  // The newest. Never absent: what sums others up counts where these are not known.
  const [sample] = own;
  assert(sample !== undefined, "A group holds a failure.");
  const places = countPlaces(own);
  const seen = told.map(({ event }) => event.atMs);
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
    firstAt: toIso(seen.at(-1) ?? 0),
    lastAt: toIso(seen[0] ?? 0),
    count: own.length,
    runs: new Set(told.map(({ run }) => run.id)).size,
    items: new Set(own.flatMap(itemOf)).size,
    places: places.slice(0, FAILURE_PLACES_MAX),
    sample: toSight(sample),
  };
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

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
