// Parked runs: who waits in a queue until there is room in a key of a resource.

import type { Migration } from "../../migrate.ts";

/** Runs that are let in again by what others give back. */
export const parkedRuns: Migration = {
  id: 7,
  name: "parked-runs",
  checksum: "17eadde38d618c68f118a94c6baab750fd4d630b4c83609eb82f0cc809ee5974",
  sql: `
CREATE TABLE parked_runs (
  resource INTEGER NOT NULL REFERENCES resources (number) ON DELETE CASCADE,
  -- In the order of claims.
  place INTEGER NOT NULL,
  -- Without a reference: who waits no more, or under another epoch, is dropped when its turn comes.
  run INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  -- Serves: who is next.
  PRIMARY KEY (resource, place, run)
) STRICT, WITHOUT ROWID;
`,
};
