// Events without a reference to their run: a queue writes six of them per run, and the check of each, which looks
// the run up again, took a tenth of the time. A writer holds the run's head under the lock when it tells an event,
// and a run goes only after its events have gone. Besides, what makes a long queue cheaper:
// short inputs in the rows of their runs, and an index of successes.

import type { Migration } from "../../migrate.ts";

/** Events are appended and nothing is looked up for them. */
export const events: Migration = {
  id: 5,
  name: "events",
  checksum: "965a343d3e9a1fec6ab5a8b4bd01dc16d8131d315db648385b12426cdf82c149",
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

-- The input of a run where it is short; a longer one stands in run_inputs, so that moves of the run leave it alone.
ALTER TABLE runs ADD COLUMN input TEXT;
`,
};
