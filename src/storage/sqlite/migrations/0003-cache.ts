// The cache: successes that later runs may use, by a key of everything they were made from.

import type { Migration } from "../../migrate.ts";

/** Content-keyed reuse across runs. */
export const cache: Migration = {
  id: 3,
  name: "cache",
  checksum: "4b3bc31a58a85f184ad4542cc9becb4e87b1ab2ee946dac8b43c19786c7286a4",
  sql: `
CREATE TABLE cache (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  stage TEXT NOT NULL,
  -- Empty: the stage itself.
  item TEXT NOT NULL,
  components TEXT NOT NULL,
  reason TEXT,
  output TEXT,
  output_blob TEXT,
  output_bytes INTEGER,
  output_version TEXT NOT NULL,
  state TEXT,
  metrics TEXT,
  -- Number of the run that made it, which may be gone.
  run INTEGER NOT NULL,
  made_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  -- Written last: without it the entry is not complete.
  seal TEXT
) STRICT;

-- Serves: findLatestCache, the newest row of an address first.
CREATE INDEX cache_address ON cache (pipeline, stage, item);
-- Serves: the search for expired entries.
CREATE INDEX cache_expiry ON cache (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
`,
};
