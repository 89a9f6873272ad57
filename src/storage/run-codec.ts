// A run's record and its columns, the same for every database. A row comes joined with the hash of its
// definition and with its input, which stand in tables of their own.

import type { Lease } from "../model/lease.ts";
import { RUN_STATES, type RunRecord } from "../model/run.ts";
import {
  asEncoded,
  asJson,
  asNumber,
  asText,
  asTextOrNull,
  type Column,
  jsonColumn,
  readEncoded,
  readJson,
  readNumber,
  readNumberOrNull,
  readText,
  readTextOrNull,
  readWord,
  type Row,
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

/** The record of a joined row. */
export function toRunRecord(row: Row): RunRecord {
  return {
    id: readText(row, "id"),
    number: readNumber(row, "number"),
    pipeline: readText(row, "pipeline"),
    definitionHash: readText(row, "definition_hash"),
    key: readTextOrNull(row, "key"),
    input: readEncoded(row, "input"),
    inputVersion: readText(row, "input_version"),
    state: readWord(row, "state", RUN_STATES),
    reason: readTextOrNull(row, "reason"),
    foreground: readNumber(row, "foreground") === 1,
    priority: readNumber(row, "priority"),
    dueAtMs: readNumber(row, "due_at_ms"),
    wakeAtMs: readNumberOrNull(row, "wake_at_ms"),
    attempts: readNumber(row, "attempts"),
    batch: readTextOrNull(row, "batch_id"),
    epoch: readNumber(row, "epoch"),
    lease: readLease(row),
    crashes: readNumber(row, "crashes"),
    resumes: readNumber(row, "resumes"),
    retries: readNumber(row, "retries"),
    parent: readTextOrNull(row, "parent"),
    source: readText(row, "source"),
    tags: readJson(row, "tags", {}),
    settings: readJson(row, "settings", {}),
    cancelRequestedAtMs: readNumberOrNull(row, "cancel_requested_at_ms"),
    cancelReason: readTextOrNull(row, "cancel_reason"),
    queuedAtMs: readNumber(row, "queued_at_ms"),
    startedAtMs: readNumberOrNull(row, "started_at_ms"),
    endedAtMs: readNumberOrNull(row, "ended_at_ms"),
    updatedAtMs: readNumber(row, "changed_at_ms"),
    durationMs: readNumberOrNull(row, "duration_ms"),
    warnings: readNumber(row, "warnings"),
    failure: readJson(row, "failure", null),
    metrics: readJson(row, "metrics", {}),
  };
}

function readLease(row: Row): Lease | null {
  if (row["lease_worker"] === null) return null;
  return {
    owner: {
      worker: readText(row, "lease_worker"),
      host: readText(row, "lease_host"),
      pid: readNumber(row, "lease_pid"),
      bootId: readText(row, "lease_boot_id"),
      processStart: readText(row, "lease_process_start"),
    },
    expiresAtMs: readNumber(row, "lease_expires_at_ms"),
  };
}

// A queued run that nobody ever claimed is read by place and not by name: a worker reads as many of them as it claims,
// and naming forty columns of which half are empty took as long as finding the run.

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
