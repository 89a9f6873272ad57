// A run's record and its columns, the same for every database. A row comes joined with the hash of its
// definition and with its input, which stand in tables of their own.

import type { Lease } from "../model/lease.ts";
import { RUN_STATES, type RunRecord } from "../model/run.ts";
import {
  asEncoded,
  asJson,
  asNumber,
  asNumberOrNull,
  asText,
  asTextOrNull,
  asWord,
  type Column,
  jsonColumn,
} from "./codec.ts";

/** Columns that never change; `number` and `definition` stand before them. */
export const RUN_BIRTH_COLUMNS = [
  "id",
  "pipeline",
  "key",
  "input_version",
  "parent",
  "source",
  "tags",
  "queued_at_ms",
  "priority",
] as const;

/** Columns that writes change, but for `run_seq` and `definition`. */
export const RUN_LIFE_COLUMNS = [
  "epoch",
  "state",
  "foreground",
  "reason",
  "due_at_ms",
  "wake_at_ms",
  "attempts",
  "lease_worker",
  "lease_host",
  "lease_pid",
  "lease_boot_id",
  "lease_process_start",
  "lease_expires_at_ms",
  "crashes",
  "resumes",
  "retries",
  "settings",
  "cancel_requested_at_ms",
  "cancel_reason",
  "started_at_ms",
  "ended_at_ms",
  "updated_at_ms",
  "duration_ms",
  "warnings",
  "failure",
  "metrics",
] as const;

/** Values of RUN_BIRTH_COLUMNS. */
export function runBirthColumns(run: RunRecord): readonly Column[] {
  return [
    run.id,
    run.pipeline,
    run.key,
    run.inputVersion,
    run.parent,
    run.source,
    jsonColumn(run.tags),
    run.queuedAtMs,
    run.priority,
  ];
}

/** Values of RUN_LIFE_COLUMNS. */
export function runLifeColumns(run: RunRecord): readonly Column[] {
  const owner = run.lease?.owner;
  return [
    run.epoch,
    run.state,
    run.foreground ? 1 : 0,
    run.reason,
    run.dueAtMs,
    run.wakeAtMs,
    run.attempts,
    owner?.worker ?? null,
    owner?.host ?? null,
    owner?.pid ?? null,
    owner?.bootId ?? null,
    owner?.processStart ?? null,
    run.lease?.expiresAtMs ?? null,
    run.crashes,
    run.resumes,
    run.retries,
    jsonColumn(run.settings),
    run.cancelRequestedAtMs,
    run.cancelReason,
    run.startedAtMs,
    run.endedAtMs,
    run.updatedAtMs,
    run.durationMs,
    run.warnings,
    jsonColumn(run.failure),
    jsonColumn(run.metrics),
  ];
}

// Runs are read by place and not by name: a page has fifty of them, and naming forty columns of which half are empty
// took longer than finding the rows.

/** Columns of `runs` that a record is read from, in this order, before what other tables say of it. */
export const RECORD_COLUMNS: readonly string[] = [
  "number",
  ...RUN_BIRTH_COLUMNS,
  ...RUN_LIFE_COLUMNS.filter((column) => column !== "updated_at_ms"),
];

/** The record of RECORD_COLUMNS, when it was changed last, the id of its batch, the hash of its definition, and its input. */
export function toRunRecord(row: readonly unknown[]): RunRecord {
  return {
    id: asText(row[1], "id"),
    number: asNumber(row[0], "number"),
    pipeline: asText(row[2], "pipeline"),
    definitionHash: asText(row[37], "definition_hash"),
    key: asTextOrNull(row[3], "key"),
    input: asEncoded(row[38], "input"),
    inputVersion: asText(row[4], "input_version"),
    state: asWord(row[11], "state", RUN_STATES),
    reason: asTextOrNull(row[13], "reason"),
    foreground: asNumber(row[12], "foreground") === 1,
    priority: asNumber(row[9], "priority"),
    dueAtMs: asNumber(row[14], "due_at_ms"),
    wakeAtMs: asNumberOrNull(row[15], "wake_at_ms"),
    attempts: asNumber(row[16], "attempts"),
    batch: asTextOrNull(row[36], "batch_id"),
    epoch: asNumber(row[10], "epoch"),
    lease: toLease(row),
    crashes: asNumber(row[23], "crashes"),
    resumes: asNumber(row[24], "resumes"),
    retries: asNumber(row[25], "retries"),
    parent: asTextOrNull(row[5], "parent"),
    source: asText(row[6], "source"),
    tags: asJson(row[7], "tags", {}),
    settings: asJson(row[26], "settings", {}),
    cancelRequestedAtMs: asNumberOrNull(row[27], "cancel_requested_at_ms"),
    cancelReason: asTextOrNull(row[28], "cancel_reason"),
    queuedAtMs: asNumber(row[8], "queued_at_ms"),
    startedAtMs: asNumberOrNull(row[29], "started_at_ms"),
    endedAtMs: asNumberOrNull(row[30], "ended_at_ms"),
    updatedAtMs: asNumber(row[35], "changed_at_ms"),
    durationMs: asNumberOrNull(row[31], "duration_ms"),
    warnings: asNumber(row[32], "warnings"),
    failure: asJson(row[33], "failure", null),
    metrics: asJson(row[34], "metrics", {}),
  };
}

function toLease(row: readonly unknown[]): Lease | null {
  if (row[17] === null) return null;
  return {
    owner: {
      worker: asText(row[17], "lease_worker"),
      host: asText(row[18], "lease_host"),
      pid: asNumber(row[19], "lease_pid"),
      bootId: asText(row[20], "lease_boot_id"),
      processStart: asText(row[21], "lease_process_start"),
    },
    expiresAtMs: asNumber(row[22], "lease_expires_at_ms"),
  };
}

// Of a queued run that nobody ever claimed half of these say nothing: a worker reads as many of them as it claims.

/** Columns of `runs` that say what such a run is, in the order in which they are read. */
export const QUEUED_COLUMNS = [
  "number",
  "id",
  "pipeline",
  "key",
  "input_version",
  "parent",
  "source",
  "tags",
  "settings",
  "queued_at_ms",
  "priority",
  "due_at_ms",
  "updated_at_ms",
] as const;

/** Places of what other tables say, after QUEUED_COLUMNS. */
const HASH_AT: number = QUEUED_COLUMNS.length;
const INPUT_AT: number = HASH_AT + 1;
const BATCH_AT: number = HASH_AT + 2;

/** The record of QUEUED_COLUMNS, the hash of its definition, its input, and the id of its batch. */
export function toQueuedRun(row: readonly unknown[]): RunRecord {
  return {
    id: asText(row[1], "id"),
    number: asNumber(row[0], "number"),
    pipeline: asText(row[2], "pipeline"),
    definitionHash: asText(row[HASH_AT], "definition_hash"),
    key: asTextOrNull(row[3], "key"),
    input: asEncoded(row[INPUT_AT], "input"),
    inputVersion: asText(row[4], "input_version"),
    state: "queued",
    reason: null,
    foreground: false,
    priority: asNumber(row[10], "priority"),
    dueAtMs: asNumber(row[11], "due_at_ms"),
    wakeAtMs: null,
    attempts: 0,
    batch: asTextOrNull(row[BATCH_AT], "batch_id"),
    epoch: 0,
    lease: null,
    crashes: 0,
    resumes: 0,
    retries: 0,
    parent: asTextOrNull(row[5], "parent"),
    source: asText(row[6], "source"),
    tags: asJson(row[7], "tags", {}),
    settings: asJson(row[8], "settings", {}),
    cancelRequestedAtMs: null,
    cancelReason: null,
    queuedAtMs: asNumber(row[9], "queued_at_ms"),
    startedAtMs: null,
    endedAtMs: null,
    updatedAtMs: asNumber(row[12], "updated_at_ms"),
    durationMs: null,
    warnings: 0,
    failure: null,
    metrics: {},
  };
}
