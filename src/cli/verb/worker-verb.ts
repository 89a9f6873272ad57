// The verb that works the queues for as long as it lives, as data.

import type { VerbSpec } from "./verb.ts";

/** `worker`. */
export const WORKER_VERB: VerbSpec = {
  name: "worker",
  summary: "work the queues until a signal comes",
  args: [],
  flags: [
    { flags: "--name <name>", about: "shown among the workers (default: host and pid)" },
    { flags: "--pipelines <names>", about: "only these: a,b", repeat: true },
    { flags: "-j <count>", about: "runs at once, 1 to 256 (default 8)" },
  ],
  examples: ["npx millrace worker", "npx millrace worker --name w2 --pipelines crawl -j 16"],
  exits: [
    "0  drained after a signal",
    "2  usage, configuration or definition",
    "4  the store is too new",
    "6  store lost; out of memory, drained",
  ],
  load: () => import("../commands/worker.ts"),
};
