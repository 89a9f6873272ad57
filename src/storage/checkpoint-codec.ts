// Rows of stages, items and their failed attempts, and their columns, the same for every database.

import type {
  ItemRecord,
  RetryRecord,
  RunSums,
  StageEnd,
  StageRecord,
  WaitedMs,
  WaitHistory,
} from "../model/checkpoint.ts";
import type { WaitTrail } from "../model/resource/gate-wait.ts";
import { STAGE_STATES, type Failure, type Via } from "../model/outcome.ts";
import {
  type Column,
  jsonColumn,
  outputColumns,
  readJson,
  readNumber,
  readNumberOrNull,
  readOutput,
  readText,
  readTextOrNull,
  readWord,
  type Row,
} from "./codec.ts";

/** Columns of a stage after its run and name. */
export const STAGE_COLUMNS = [
  "state",
  "via",
  "attempts",
  "output",
  "output_blob",
  "output_bytes",
  "output_version",
  "input_version",
  "stage_version",
  "reason",
  "failure",
  "metrics",
  "waits",
  "due_at_ms",
  "blocker",
  "started_at_ms",
  "ended_at_ms",
  "duration_ms",
  "cpu_ms",
  "peak_bytes",
  "item_count",
] as const;

/** Columns of an item after its run, stage and key. */
export const ITEM_COLUMNS = [
  "place",
  "state",
  "via",
  "attempts",
  "output",
  "output_blob",
  "output_bytes",
  "input_version",
  "reason",
  "failure",
  "metrics",
  "waits",
  "due_at_ms",
  "blocker",
  "started_at_ms",
  "ended_at_ms",
  "duration_ms",
] as const;

const VIAS: readonly Via[] = ["run", "cache", "checkpoint"];

/** Values of STAGE_COLUMNS. */
export function stageColumns(record: StageRecord): readonly Column[] {
  const [output, blob, bytes] = outputColumns(record.output);
  return [
    record.state,
    record.via,
    record.attempts,
    output,
    blob,
    bytes,
    record.outputVersion,
    record.inputVersion,
    record.stageVersion,
    record.reason,
    failureColumn(record),
    jsonColumn(record.metrics),
    waitsColumn(record),
    record.dueAtMs,
    record.blocker,
    record.startedAtMs,
    record.endedAtMs,
    record.durationMs,
    record.cpuMs,
    record.peakBytes,
    record.itemCount,
  ];
}

/** The record of a stage's row. */
export function toStageRecord(row: Row): StageRecord {
  return {
    stage: readText(row, "stage"),
    state: readWord(row, "state", STAGE_STATES),
    via: readVia(row),
    attempts: readNumber(row, "attempts"),
    output: readOutput(row),
    outputVersion: readTextOrNull(row, "output_version"),
    inputVersion: readTextOrNull(row, "input_version"),
    stageVersion: readText(row, "stage_version"),
    reason: readTextOrNull(row, "reason"),
    ...readFailure(row),
    metrics: readJson(row, "metrics", {}),
    ...readWaits(row),
    dueAtMs: readNumberOrNull(row, "due_at_ms"),
    blocker: readTextOrNull(row, "blocker"),
    startedAtMs: readNumberOrNull(row, "started_at_ms"),
    endedAtMs: readNumberOrNull(row, "ended_at_ms"),
    durationMs: readNumberOrNull(row, "duration_ms"),
    cpuMs: readNumberOrNull(row, "cpu_ms"),
    peakBytes: readNumberOrNull(row, "peak_bytes"),
    itemCount: readNumberOrNull(row, "item_count"),
  };
}

/** How a stage stands, from the columns of its row that tell it. */
export function toStageEnd(row: Row): StageEnd {
  return {
    stage: readText(row, "stage"),
    state: readWord(row, "state", STAGE_STATES),
    via: readVia(row),
    attempts: readNumber(row, "attempts"),
    waitedMs: readWaits(row).waitedMs,
    durationMs: readNumberOrNull(row, "duration_ms"),
    itemCount: readNumberOrNull(row, "item_count"),
  };
}

/** The waits and the length of a stage. */
export function toStageSums(row: Row): RunSums["stages"][number] {
  return {
    stage: readText(row, "stage"),
    waitedMs: readWaits(row).waitedMs,
    itemCount: readNumberOrNull(row, "item_count"),
  };
}

/** Values of ITEM_COLUMNS. */
export function itemColumns(record: ItemRecord): readonly Column[] {
  const [output, blob, bytes] = outputColumns(record.output);
  return [
    record.index,
    record.state,
    record.via,
    record.attempts,
    output,
    blob,
    bytes,
    record.inputVersion,
    record.reason,
    failureColumn(record),
    jsonColumn(record.metrics),
    waitsColumn(record),
    record.dueAtMs,
    record.blocker,
    record.startedAtMs,
    record.endedAtMs,
    record.durationMs,
  ];
}

/** The record of an item's row. */
export function toItemRecord(row: Row): ItemRecord {
  return {
    stage: readText(row, "stage"),
    key: readText(row, "key"),
    index: readNumber(row, "place"),
    state: readWord(row, "state", STAGE_STATES),
    via: readVia(row),
    attempts: readNumber(row, "attempts"),
    output: readOutput(row),
    inputVersion: readTextOrNull(row, "input_version"),
    reason: readTextOrNull(row, "reason"),
    ...readFailure(row),
    metrics: readJson(row, "metrics", {}),
    ...readWaits(row),
    dueAtMs: readNumberOrNull(row, "due_at_ms"),
    blocker: readTextOrNull(row, "blocker"),
    startedAtMs: readNumberOrNull(row, "started_at_ms"),
    endedAtMs: readNumberOrNull(row, "ended_at_ms"),
    durationMs: readNumberOrNull(row, "duration_ms"),
  };
}

/** The record of a failed attempt's row; an empty item means the stage itself. */
export function toRetryRecord(row: Row): RetryRecord {
  const item = readText(row, "item");
  return {
    stage: readText(row, "stage"),
    item: item === "" ? null : item,
    attempt: readNumber(row, "attempt"),
    class: readText(row, "class"),
    message: readText(row, "message"),
    delayMs: readNumberOrNull(row, "delay_ms"),
    startedAtMs: readNumber(row, "started_at_ms"),
    endedAtMs: readNumber(row, "ended_at_ms"),
  };
}

/** A failure, and with one that waits what its next attempt has to know: few rows have that, and none asks for it. */
interface WaitingFailure {
  readonly failure: Failure | null;
  readonly history: WaitHistory;
}

function failureColumn({ failure, history }: Pick<StageRecord, "failure" | "history">): Column {
  if (history === undefined) return jsonColumn(failure);
  return jsonColumn({ failure, history } satisfies WaitingFailure);
}

function readFailure(row: Row): Pick<StageRecord, "failure" | "history"> {
  const found = readJson<Failure | WaitingFailure | null>(row, "failure", null);
  return found !== null && "history" in found ? found : { failure: found };
}

/** Sums, and with them what else is known of waits: few rows have that, and none asks for it. */
interface TrailedWaits {
  readonly sums: WaitedMs;
  readonly trail: WaitTrail;
}

function waitsColumn({ waitedMs, trail }: Pick<StageRecord, "waitedMs" | "trail">): Column {
  if (trail === undefined) return jsonColumn(waitedMs);
  return jsonColumn({ sums: waitedMs, trail } satisfies TrailedWaits);
}

function readWaits(row: Row): Pick<StageRecord, "waitedMs" | "trail"> {
  const found = readJson<WaitedMs | TrailedWaits>(row, "waits", {});
  return isTrailed(found) ? { waitedMs: found.sums, trail: found.trail } : { waitedMs: found };
}

/** No cause is called so that its sum could be a record. */
function isTrailed(found: WaitedMs | TrailedWaits): found is TrailedWaits {
  return typeof found["trail"] === "object";
}

function readVia(row: Row): Via | null {
  return row["via"] === null ? null : readWord(row, "via", VIAS);
}
