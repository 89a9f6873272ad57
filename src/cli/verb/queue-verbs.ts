// The verbs of the queue, as data.

import { INPUT_FLAGS, OVERRIDE_FLAG } from "./verb-flags.ts";
import type { FlagSpec, VerbSpec } from "./verb.ts";

const PIPELINE = { name: "file-or-pipeline", required: true };
const YES_FLAG: FlagSpec = { flags: "--yes", about: "do not ask" };
const COUNT_FLAG: FlagSpec = { flags: "-n, --dry-run", about: "only count" };

const enqueue: VerbSpec = {
  name: "queue enqueue",
  summary: "put a run into the queue",
  args: [PIPELINE],
  flags: [
    ...INPUT_FLAGS,
    { flags: "--key <key>", about: "the run's own key: queued once" },
    { flags: "--priority <number>", about: "higher starts first, -1000 to 1000 (default 0)" },
    { flags: "--delay <duration>", about: "not before this has passed, as in 5m" },
    { flags: "--tag <key=value>", about: "kept with the run; repeatable", repeat: true },
    OVERRIDE_FLAG,
  ],
  examples: [
    'npx millrace queue enqueue crawl.ts --key a1 --input \'{"url":"a"}\'',
    "npx millrace queue enqueue crawl --delay 5m --priority 3",
  ],
  exits: [
    "0  queued, or known by its key",
    "2  usage, configuration or definition",
    "4  the queue is full; refused by health",
    "6  store lost",
  ],
  load: () => import("../commands/queue/enqueue.ts"),
};

const importFile: VerbSpec = {
  name: "queue import",
  summary: "queue one run per line of a JSONL file",
  args: [{ name: "FILE", required: true }, PIPELINE],
  flags: [
    { flags: "--key-field <name>", about: "field with the key (default key, id or artifact_id)" },
    { flags: "--limit <count>", about: "lines to take, 0 for none (default all)" },
    { flags: "--envelope", about: "lines are { key, input, priority, delay, tags }" },
    { flags: "--strict", about: "bad lines give exit 3" },
    OVERRIDE_FLAG,
  ],
  examples: ["npx millrace queue import list.jsonl crawl.ts --key-field doi"],
  exits: [
    "0  imported; bad lines are told",
    "2  usage, configuration or definition; no such file",
    "3  bad lines, under --strict",
    "4  the queue is full, what was queued stays; refused by health",
    "6  store lost",
  ],
  load: () => import("../commands/queue/import.ts"),
};

const stats: VerbSpec = {
  name: "queue stats",
  summary: "say where the runs of the store stand",
  args: [],
  flags: [{ flags: "--resources", about: "also limits, quotas and breakers" }],
  examples: ["npx millrace queue stats", "npx millrace queue stats --resources"],
  exits: ["0  counted", "2  usage, configuration"],
  load: () => import("../commands/queue/stats.ts"),
};

const retryFailed: VerbSpec = {
  name: "queue retry-failed",
  summary: "queue failed runs again, keeping what succeeded",
  args: [],
  flags: [
    { flags: "--pipeline <name>", about: "only this pipeline" },
    { flags: "--since <when>", about: "only what failed since: 2h, or an ISO time" },
    { flags: "--fingerprint <text>", about: "only this kind of failure" },
    COUNT_FLAG,
    YES_FLAG,
  ],
  examples: [
    "npx millrace queue retry-failed -n",
    "npx millrace queue retry-failed --since 2h --yes",
  ],
  exits: ["0  queued, counted, or none failed", "2  usage; nobody to ask and no --yes"],
  load: () => import("../commands/queue/retry-failed.ts"),
};

const requeue: VerbSpec = {
  name: "queue requeue",
  summary: "queue runs that have ended again, as new runs",
  args: [{ name: "RUN", variadic: true }],
  flags: [{ flags: "--batch <id>", about: "every run of this batch" }, OVERRIDE_FLAG, YES_FLAG],
  examples: ["npx millrace queue requeue last"],
  exits: [
    "0  queued, or left as they were",
    "2  usage; unknown run or batch",
    "4  refused by the health of the pipeline",
  ],
  load: () => import("../commands/queue/requeue.ts"),
};

const purge: VerbSpec = {
  name: "queue purge",
  summary: "delete runs with all they have, never running ones",
  args: [],
  flags: [
    { flags: "--state <states>", about: "only these states: succeeded,failed", repeat: true },
    { flags: "--older-than <duration>", about: "only what last moved before, as in 30d" },
    COUNT_FLAG,
    YES_FLAG,
  ],
  examples: ["npx millrace queue purge --state succeeded --older-than 30d -n"],
  exits: ["0  deleted, counted, or nothing to delete", "2  usage; nobody to ask and no --yes"],
  load: () => import("../commands/queue/purge.ts"),
};

/** Verbs of the queue, in the order of help. */
export const QUEUE_VERBS: readonly VerbSpec[] = [
  enqueue,
  importFile,
  stats,
  retryFailed,
  requeue,
  purge,
];

/** Short spellings that work and are not shown. */
export const SHORT_QUEUE_VERBS: readonly VerbSpec[] = [
  {
    ...enqueue,
    name: "enqueue",
    hidden: true,
    flags: [
      ...enqueue.flags,
      { flags: "--id <key>", about: "same as --key" },
      { flags: "--file <file>", about: "same as queue import" },
      ...importFile.flags,
    ],
  },
  { ...stats, name: "stats", hidden: true },
  { ...retryFailed, name: "retry-failed", hidden: true },
];
