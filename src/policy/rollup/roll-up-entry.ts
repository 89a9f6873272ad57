// What one event adds to the roll-ups: runs are counted by minute and by day, each time for their pipeline and for all;
// a success adds its duration to the window of its stage or pipeline. An entry names its record, so that folding is the
// same whichever events are folded together.

import { DAY_ROLL_UPS_KEPT_MS } from "../../model/limits.ts";
import type { EventType, MillraceEvent } from "../../model/event.ts";
import type { Level } from "./bucket.ts";
import { placeOf, ROLL_UP_UNITS, type BucketChange, type RollUpUnit } from "./roll-up-block.ts";

/** What is counted of runs. `created` and `started` once per run; an end each time, also of one that is resumed. */
export const ROLL_UP_COUNTS = [
  "created",
  "started",
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
] as const;

/** What is counted of runs. */
export type RollUpCount = (typeof ROLL_UP_COUNTS)[number];

/** Events that add something. */
export const ROLLED_UP_TYPES: readonly EventType[] = [
  ...ROLL_UP_COUNTS.map((name) => `run.${name}` as const),
  "stage.succeeded",
];

/** One change of one record. */
export interface RollUpEntry {
  /** Of the record in the collection "rollups". */
  readonly key: string;
  /** When the record goes, UTC ms. */
  readonly dueAtMs: number;
  readonly change: BucketChange | { readonly kind: "duration"; readonly ms: number };
}

/** Whom a series is about. */
export type RollUpSubject =
  | { readonly kind: "all" }
  | { readonly kind: "pipeline" | "resource"; readonly name: string };

/** All pipelines together. */
export const ALL_PIPELINES: RollUpSubject = { kind: "all" };

/** Key of a block. */
export function blockKey(unit: RollUpUnit, block: number, subject: RollUpSubject): string {
  const of = subject.kind === "all" ? "all" : `${subject.kind}/${subject.name}`;
  return `${unit}/${block}/${of}`;
}

/** Beginning of the keys of a pipeline's durations: that of its runs ends so, that of a stage with its name. */
export function durationPrefix(pipeline: string): string {
  return `duration/${pipeline}/`;
}

/**
 * What an event of a run of this pipeline adds. Nothing is added to what is too old to be kept.
 * @param nowMs UTC ms of the store's clock.
 */
export function listEntries(
  event: MillraceEvent,
  pipeline: string,
  nowMs: number,
): readonly RollUpEntry[] {
  const count = countOf(event);
  const entries: RollUpEntry[] = [];
  for (const unit of count === undefined ? [] : ROLL_UP_UNITS) {
    for (const subject of [ALL_PIPELINES, { kind: "pipeline", name: pipeline } as const]) {
      const entry = makeEntry(unit, subject, { atMs: event.atMs, name: count ?? "", by: 1 });
      if (entry.dueAtMs > nowMs) entries.push(entry);
    }
  }
  const ms = durationOf(event);
  if (ms !== undefined) {
    const key = `${durationPrefix(pipeline)}${event.stage ?? ""}`;
    const dueAtMs = event.atMs + DAY_ROLL_UPS_KEPT_MS;
    if (dueAtMs > nowMs) entries.push({ key, dueAtMs, change: { kind: "duration", ms } });
  }
  return entries;
}

/** What a look at a level adds, by minute and by day. */
export function listLevelEntries(
  subject: RollUpSubject,
  look: { readonly atMs: number; readonly name: string; readonly level: Level },
): readonly RollUpEntry[] {
  const { atMs, name, level } = look;
  return ROLL_UP_UNITS.map((unit) => makeEntry(unit, subject, { atMs, name, by: level }));
}

function makeEntry(
  unit: RollUpUnit,
  subject: RollUpSubject,
  { atMs, name, by }: { readonly atMs: number; readonly name: string; readonly by: number | Level },
): RollUpEntry {
  const { block, bucket, dueAtMs } = placeOf(unit, atMs);
  return {
    key: blockKey(unit, block, subject),
    dueAtMs,
    change: { kind: "bucket", bucket, name, by },
  };
}

function countOf({ type, data }: MillraceEvent): RollUpCount | undefined {
  const name = ROLL_UP_COUNTS.find((each) => type === `run.${each}`);
  // Every further claim is told as a start again.
  return name === "started" && data?.["epoch"] !== 1 ? undefined : name;
}

/** How long something took that was really done; undefined: it was not, or was taken from somewhere. */
function durationOf({ type, data }: MillraceEvent): number | undefined {
  const isDone =
    type === "run.succeeded" || (type === "stage.succeeded" && data?.["via"] === "run");
  const ms = data?.["durationMs"];
  return isDone && typeof ms === "number" && ms >= 0 ? ms : undefined;
}
