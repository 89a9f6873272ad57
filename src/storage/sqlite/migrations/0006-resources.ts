// Resources: how each key stands, the permits that are held, and who waits for them in which process. Events may
// concern no run.

import type { Migration } from "../../migrate.ts";

/** Limits, quotas and breakers that all processes share. */
export const resources: Migration = {
  id: 6,
  name: "resources",
  checksum: "49b8f6a90abbc146c40a2a9fe5fc2d58c4fbf1160de7f27fe801789368af7e77",
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
  PRIMARY KEY (run, stage, item, slot, resource)
) STRICT, WITHOUT ROWID;
-- Serves: how many hold a key, and who.
CREATE INDEX permits_resource ON permits (resource, probe_until_ms);

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
