// Crashes: how often a stage or item of a run was running, or may have been, when its process died.

import type { Migration } from "../../migrate.ts";

/** Crash counts by stage and item. */
export const crashes: Migration = {
  id: 4,
  name: "crashes",
  checksum: "324d0e33b10b75e4d00a91644bc266a3fd3f787cd93e82246746f7ea4c2cfc61",
  sql: `
CREATE TABLE crashes (
  run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
  -- Empty: nobody knows what was running.
  stage TEXT NOT NULL,
  -- Empty: the stage itself.
  item TEXT NOT NULL,
  crashes INTEGER NOT NULL,
  -- Those of them in which nothing else was running.
  isolated INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, stage, item)
) STRICT, WITHOUT ROWID;
`,
};
