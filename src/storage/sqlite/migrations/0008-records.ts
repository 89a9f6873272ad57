// Small things that the service remembers apart from runs, in one table: schedules and ticks, access tokens, replies.

import type { Migration } from "../../migrate.ts";

/** Records of the service. */
export const records: Migration = {
  id: 8,
  name: "records",
  checksum: "595a59c4ea560dbe64f2b889f5aaffe41d46b2dfc7de6e3ea6e2920ad16c69d9",
  sql: `
-- With a rowid: values may be long, and the entries of the index stay short.
CREATE TABLE records (
  number INTEGER PRIMARY KEY,
  collection TEXT NOT NULL,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision > 0),
  value TEXT NOT NULL,
  due_at_ms INTEGER,
  updated_at_ms INTEGER NOT NULL,
  UNIQUE (collection, key)
) STRICT;

-- Serves: listDueRecords and nextDueMs, however many records there are that are due later or never.
CREATE INDEX records_due ON records (collection, due_at_ms) WHERE due_at_ms IS NOT NULL;
`,
};
