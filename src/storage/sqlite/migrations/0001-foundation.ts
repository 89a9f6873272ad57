// Runs, their checkpoints, events and counters. Rows of a run point at its number, which is shorter than its
// id; times are UTC ms of the store's clock, durations ms. Values are encoded text or the name of a blob;
// columns named in the plural (tags, settings, metrics, waits) hold JSON, null where there is nothing.

import type { Migration } from "../../migrate.ts";

// Written out here and not taken from the model: a migration never changes after its release. The most frequent
// word comes first.
const RUN_STATE = oneOf("state", [
  "succeeded",
  "running",
  "queued",
  "waiting",
  "failed",
  "skipped",
  "cancelled",
]);
const STAGE_STATE = oneOf("state", [
  "succeeded",
  "failed",
  "waiting",
  "running",
  "pending",
  "skipped",
  "cancelled",
  "upstream_failed",
]);
const VIA = oneOf("via", ["run", "checkpoint", "cache"]);

/** SQLite builds a table for an IN of more than two words, at every insert: comparing costs a quarter less CPU. */
function oneOf(column: string, words: readonly string[]): string {
  return words.map((word) => `${column} = '${word}'`).join(" OR ");
}

/** The first schema. */
export const foundation: Migration = {
  id: 1,
  name: "foundation",
  checksum: "08cc876e215ffc68a814483fb468737e6f1c0db761314db61a1dbbca4e58cca8",
  sql: `
-- One row: the clock of the store and the last numbers given. Read and written by every transaction.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  boot_id TEXT NOT NULL,
  clock_anchor_ms REAL NOT NULL,
  written_at_ms INTEGER NOT NULL,
  last_run_number INTEGER NOT NULL,
  last_event_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE definitions (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  json TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (${RUN_STATE}),
  foreground INTEGER NOT NULL CHECK (foreground IN (0, 1)),
  run_seq INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  definition INTEGER NOT NULL REFERENCES definitions (id),
  key TEXT,
  input_version TEXT NOT NULL,
  reason TEXT,
  lease_worker TEXT,
  lease_host TEXT,
  lease_pid INTEGER,
  lease_boot_id TEXT,
  lease_process_start TEXT,
  lease_expires_at_ms INTEGER,
  crashes INTEGER NOT NULL,
  resumes INTEGER NOT NULL,
  retries INTEGER NOT NULL,
  parent TEXT,
  source TEXT NOT NULL,
  tags TEXT,
  settings TEXT,
  cancel_requested_at_ms INTEGER,
  cancel_reason TEXT,
  queued_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  duration_ms REAL,
  warnings INTEGER NOT NULL,
  failure TEXT,
  metrics TEXT,
  CHECK ((lease_worker IS NULL) = (state <> 'running')),
  CHECK ((ended_at_ms IS NULL) = (state = 'running' OR state = 'queued' OR state = 'waiting'))
) STRICT;

-- Serves: create-run (a key is taken once per pipeline), findRunByKey.
CREATE UNIQUE INDEX runs_key ON runs (pipeline, key) WHERE key IS NOT NULL;
-- Each ends with the number, so that lists come out newest first.
-- Serves: listRuns by states, which the rescuer asks every second.
CREATE INDEX runs_state ON runs (state);
-- Serves: listRuns by pipeline, one state at a time: neither a rare state nor a rare pipeline makes it read the rest.
CREATE INDEX runs_pipeline ON runs (pipeline, state);
-- Serves: listRuns by the version of the input; its first characters tell nearly all apart, and keep it small.
CREATE INDEX runs_input ON runs (substr(input_version, 1, 12));
-- Serves: listRuns by parent.
CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL;

-- Apart from its run, whose row is written with every checkpoint.
CREATE TABLE run_inputs (
  run INTEGER PRIMARY KEY REFERENCES runs (number) ON DELETE CASCADE,
  input TEXT NOT NULL
) STRICT;

-- With a rowid, like items: rows are appended, and only a short entry of the key is inserted in its order. Without
-- it every insert would move whole rows, at twice the CPU.
CREATE TABLE stages (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  state TEXT NOT NULL CHECK (${STAGE_STATE}),
  via TEXT CHECK (${VIA}),
  attempts INTEGER NOT NULL,
  output TEXT,
  output_blob TEXT,
  output_bytes INTEGER,
  output_version TEXT,
  input_version TEXT,
  stage_version TEXT NOT NULL,
  reason TEXT,
  failure TEXT,
  metrics TEXT,
  waits TEXT,
  due_at_ms INTEGER,
  blocker TEXT,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  duration_ms REAL,
  cpu_ms REAL,
  peak_bytes INTEGER,
  item_count INTEGER,
  PRIMARY KEY (run, stage)
) STRICT;

CREATE TABLE items (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  key TEXT NOT NULL,
  place INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (${STAGE_STATE}),
  via TEXT CHECK (${VIA}),
  attempts INTEGER NOT NULL,
  output TEXT,
  output_blob TEXT,
  output_bytes INTEGER,
  input_version TEXT,
  reason TEXT,
  failure TEXT,
  metrics TEXT,
  waits TEXT,
  due_at_ms INTEGER,
  blocker TEXT,
  started_at_ms INTEGER,
  ended_at_ms INTEGER,
  duration_ms REAL,
  PRIMARY KEY (run, stage, key)
) STRICT;

-- Serves: listItems in order of place; the state lets failed ones be picked without reading the rows between.
CREATE INDEX items_place ON items (run, stage, place, key, state);

CREATE TABLE memos (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  item TEXT NOT NULL, -- '': of the stage itself
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, stage, item, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_state (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  key TEXT NOT NULL,
  stage TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

-- The last attempts that did not succeed; ordinals rise and older rows go.
CREATE TABLE retries (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  item TEXT NOT NULL, -- '': of the stage itself
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  class TEXT NOT NULL,
  message TEXT NOT NULL,
  delay_ms REAL,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER NOT NULL,
  PRIMARY KEY (run, stage, item, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_counters (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  state TEXT NOT NULL CHECK (${STAGE_STATE}),
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (run, stage, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_counters (
  pipeline TEXT NOT NULL,
  state TEXT NOT NULL CHECK (${RUN_STATE}),
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (pipeline, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  run_seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  stage TEXT,
  item TEXT,
  attempt INTEGER,
  at_ms INTEGER NOT NULL,
  data TEXT
) STRICT;

-- Serves: listEvents of one run, in order of seq, which every index entry ends with.
CREATE INDEX events_run ON events (run);

CREATE TABLE workers (
  worker TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  process_start TEXT NOT NULL,
  beat_at_ms INTEGER NOT NULL,
  running TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
