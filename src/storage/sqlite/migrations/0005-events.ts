// Events without a reference to their run: a queue writes six of them per run, and the check of each, which looks
// the run up again, took a tenth of the time. A writer holds the run's head under the lock when it tells an event,
// and a run goes only after its events have gone.

import type { Migration } from "../../migrate.ts";

/** Events are appended and nothing is looked up for them. */
export const events: Migration = {
  id: 5,
  name: "events",
  checksum: "32f59b5f264b0fe670b36d72d5778bdce727cf236f13e69e5e91c74550a668b0",
  sql: `
ALTER TABLE events RENAME TO events_before;
DROP INDEX events_run;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  run_seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  stage TEXT,
  item TEXT,
  attempt INTEGER,
  at_ms INTEGER NOT NULL,
  data TEXT
) STRICT;
INSERT INTO events SELECT seq, run, run_seq, type, stage, item, attempt, at_ms, data FROM events_before;
DROP TABLE events_before;
-- Serves: listEvents of one run, in order of seq, which every index entry ends with.
CREATE INDEX events_run ON events (run);
`,
};
