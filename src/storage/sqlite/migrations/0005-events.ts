// Events without a reference to their run: a queue writes six of them per run, and the check of each, which looks
// the run up again, took a tenth of the time. A writer holds the run's head under the lock when it tells an event,
// and a run goes only after its events have gone. And one index more, written once per run.

import type { Migration } from "../../migrate.ts";

/** Events are appended and nothing is looked up for them. */
export const events: Migration = {
  id: 5,
  name: "events",
  checksum: "ba9468b2c44bed7024a00d3558082b9fabf27710ecd2851e9ae9fcfcc6a5b5f6",
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

-- Serves: listRuns by pipeline of those that succeeded, such as the rate of a queue, however many are queued since.
CREATE INDEX runs_succeeded ON runs (pipeline) WHERE state = 'succeeded';
`,
};
