// The queue: what decides the order of claims, runs that wake by time, and batches of runs enqueued together.

import type { Migration } from "../../migrate.ts";

/** Queued runs are claimed in the order of one index. */
export const queue: Migration = {
  id: 2,
  name: "queue",
  checksum: "321035ad4338458731c2a8a5537f35b8999d3d0322fb45c4d637eec53c7396e3",
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

-- Serves: claim-next and findNextQueued, in exactly the order of claims; only what can be claimed is in it.
CREATE INDEX runs_claim ON runs (pipeline, due_at_ms - 60000 * priority) WHERE state = 'queued';
-- Serves: wake-runs.
CREATE INDEX runs_wake ON runs (wake_at_ms) WHERE wake_at_ms IS NOT NULL;
-- Serves: listBatchRuns, in order of number.
CREATE INDEX runs_batch ON runs (batch) WHERE batch IS NOT NULL;
`,
};
