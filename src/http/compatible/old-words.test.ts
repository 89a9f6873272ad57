import assert from "node:assert/strict";
import { test } from "vitest";
import type { BlockerKind } from "../../model/blocker.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import type { RunView } from "../../service/views/run-view.ts";
import { toCounts } from "../../service/views/counts-view.ts";
import { encodeValue } from "../../std/value.ts";
import { toOldLock, toOldState, toOldStatus, type ShownRun } from "./old-words.ts";

const NOW_MS = 1_000_000;
const OWNER = { worker: "w", host: "host", pid: 7, bootId: "", processStart: "" };

const encoded = encodeValue(null);
assert.ok(encoded.ok);
const INPUT = encoded.value;

interface Case {
  readonly state: RunState;
  readonly reason?: string;
  readonly dueAtMs?: number;
  readonly running?: readonly string[];
  readonly blocker?: BlockerKind;
}

function show({ state, reason, dueAtMs = NOW_MS, running = [], blocker }: Case): ShownRun {
  const shared = { id: "id", state, warnings: 0, retries: 0, source: "cli", tags: {} };
  const view: RunView = {
    ...shared,
    name: "1F",
    pipeline: "market-data",
    definition: "h",
    resumes: 0,
    crashes: 0,
    settings: {},
    queuedAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    waitedMs: {},
    items: toCounts({}, 0),
    running,
    metrics: {},
    ...(reason === undefined ? {} : { reason }),
    ...(blocker === undefined
      ? {}
      : { blocker: { kind: blocker, name: "x", basis: "unknown", text: "x" } }),
  };
  const record: RunRecord = {
    ...shared,
    number: 47,
    pipeline: "market-data",
    definitionHash: "h",
    key: null,
    input: INPUT,
    inputVersion: "v",
    reason: reason ?? null,
    foreground: false,
    priority: 0,
    dueAtMs,
    wakeAtMs: null,
    attempts: 0,
    batch: null,
    epoch: 1,
    lease: state === "running" ? { owner: OWNER, expiresAtMs: NOW_MS } : null,
    crashes: 0,
    resumes: 0,
    parent: null,
    settings: {},
    cancelRequestedAtMs: null,
    cancelReason: null,
    queuedAtMs: 0,
    startedAtMs: null,
    endedAtMs: null,
    updatedAtMs: 0,
    durationMs: null,
    failure: null,
    metrics: {},
  };
  return { record, view, nowMs: NOW_MS };
}

test.each<readonly [Case, string]>([
  [{ state: "queued" }, "starting"],
  [{ state: "queued", dueAtMs: NOW_MS + 1 }, "scheduled"],
  [{ state: "running" }, "starting"],
  [{ state: "running", running: ["translator", "analyzer"] }, "running_translator"],
  [{ state: "running", blocker: "retry" }, "retrying"],
  [{ state: "running", blocker: "limit", running: ["merger"] }, "running_merger"],
  [{ state: "running", blocker: "interrupted" }, "stopped"],
  [{ state: "waiting", reason: "quota" }, "retrying"],
  [{ state: "waiting", reason: "interrupted" }, "stopped"],
  [{ state: "succeeded" }, "success"],
  [{ state: "skipped" }, "success"],
  [{ state: "failed" }, "failed"],
  [{ state: "cancelled" }, "stopped"],
])("R190: the old word of %j is %s", (given, word) => {
  assert.equal(toOldState(show(given)), word);
});

test("R190: without a run it is idle, and nobody has anything", () => {
  assert.equal(toOldState(null), "idle");
  assert.deepEqual(toOldStatus(null, "idle"), {
    state: "idle",
    status: "idle",
    run_id: null,
    current_stage: null,
    started_at: null,
    updated_at: null,
    error: null,
    retry_count: 0,
    metadata: {},
  });
  assert.equal(toOldLock(null), null);
  assert.equal(toOldLock(show({ state: "waiting" })), null);
  assert.deepEqual(toOldLock(show({ state: "running" })), {
    run_id: "id",
    acquired_at: null,
    holder: "process 7 on host",
    expires_at: "1970-01-01T00:16:40.000Z",
  });
});
