// What a process says of itself besides what it is running.

import type { Migration } from "../../migrate.ts";

/** Facts of workers, as JSON: only who asks for workers reads them. */
export const workerFacts: Migration = {
  id: 9,
  name: "worker-facts",
  checksum: "7b282e1a035f34b16bbfade98a80c12e88eead95deaeee8a580aab8f58275f56",
  sql: `
-- Null: its last beat was of a version that said no more.
ALTER TABLE workers ADD COLUMN facts TEXT;
`,
};
