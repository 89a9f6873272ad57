// The queue: what decides the order of claims, runs that wake by time, and batches of runs enqueued together.

import type { Migration } from "../../migrate.ts";

// Word by word, as every query has to say it.
const OPEN = ["queued", "running", "waiting", "failed", "skipped", "cancelled"]
  .map((state) => `state = '${state}'`)
  .join(" OR ");

/** Queued runs are claimed in the order of one index. */
export const queue: Migration = {
  id: 2,
  name: "queue",
  checksum: "ab6e77139d8498568a85cc360b34a6c6e4fb17e482d3ed50bb958fbf49467e40",
  sql: `
CREATE TABLE batches (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  source TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE batch_counters (
  batch INTEGER NOT NULL REFERENCES batches (number) ON DELETE CASCADE,
  state TEXT NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (batch, state)
) STRICT, WITHOUT ROWID;

ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN due_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN wake_at_ms INTEGER;
ALTER TABLE runs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN batch INTEGER REFERENCES batches (number);
UPDATE runs SET due_at_ms = queued_at_ms;

-- A run of a queue passes through three states in a few milliseconds, and each index that knows states is written
-- twice per change: so only those are listed that people look for among many, and a pipeline's runs by number alone.
DROP INDEX runs_state;
DROP INDEX runs_pipeline;
DROP INDEX runs_input;
-- Serves: listRuns by state, but for succeeded, which most are; the rescuer asks it for running ones every second.
CREATE INDEX runs_open ON runs (state) WHERE ${OPEN};
-- Serves: listRuns by pipeline.
CREATE INDEX runs_of_pipeline ON runs (pipeline);
-- Serves: listRuns by the version of the input, of runs that were started in the foreground.
CREATE INDEX runs_input ON runs (substr(input_version, 1, 12)) WHERE foreground = 1;
-- Serves: claim-next and findNextQueued, in exactly the order of claims; only what can be claimed is in it.
CREATE INDEX runs_claim ON runs (pipeline, due_at_ms - 60000 * priority) WHERE state = 'queued';
-- Serves: wake-runs.
CREATE INDEX runs_wake ON runs (wake_at_ms) WHERE wake_at_ms IS NOT NULL;
-- Serves: listBatchRuns, in order of number.
CREATE INDEX runs_batch ON runs (batch) WHERE batch IS NOT NULL;
`,
};
