// Resources: how each key stands, the permits that are held, and who waits for them in which process. Events may
// concern no run.

import type { Migration } from "../../migrate.ts";

/** Limits, quotas and breakers that all processes share. */
export const resources: Migration = {
  id: 6,
  name: "resources",
  checksum: "8e1314fde0bb8de2ecf6791ac765c9a65795b96f16e09d81dc2c92142e68c137",
  sql: `
CREATE TABLE resources (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  -- Empty: the resource has no keys, or the row speaks of all of them.
  key TEXT NOT NULL,
  -- Quotas, breaker, pause and override, as JSON: always read and written together.
  state TEXT NOT NULL,
  totals TEXT NOT NULL,
  -- What was declared when it was last used, as JSON.
  terms TEXT,
  used_at_ms INTEGER NOT NULL,
  UNIQUE (name, key)
) STRICT;
-- Serves: gc of keys that nobody has used for long.
CREATE INDEX resources_used ON resources (used_at_ms);

CREATE TABLE permits (
  -- Without references, which would be looked up for every permit: what leaves its owner frees its permits.
  run INTEGER NOT NULL,
  stage TEXT NOT NULL,
  -- Empty: the stage itself.
  item TEXT NOT NULL,
  slot INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  taken_at_ms INTEGER NOT NULL,
  -- Null: no probe of a breaker.
  probe_until_ms INTEGER,
  -- One tree and no index: a row lives as long as an attempt, and there are no more rows than attempts in flight, so
  -- that what a run holds is found by looking at all of them. Serves: how many hold a key, and who.
  PRIMARY KEY (resource, run, stage, item, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE resource_lines (
  resource INTEGER NOT NULL REFERENCES resources (number) ON DELETE CASCADE,
  worker TEXT NOT NULL,
  waiting INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  PRIMARY KEY (resource, worker)
) STRICT, WITHOUT ROWID;
`,
};
