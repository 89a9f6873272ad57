// Every verb there is. Whatever is not in this list does not exist, and is printed nowhere.

import { CONFIG_VERBS, SHORT_CONFIG_VERBS } from "./config-verbs.ts";
import { EVENT_VERBS } from "./event-verbs.ts";
import { QUEUE_VERBS, SHORT_QUEUE_VERBS } from "./queue-verbs.ts";
import { HEALTH_VERBS } from "./health-verbs.ts";
import { RESOURCE_VERBS, SHORT_RESOURCE_VERBS } from "./resource-verbs.ts";
import { SCHEDULE_VERBS } from "./schedule-verbs.ts";
import type { VerbSpec } from "./verb.ts";
import { SERVE_VERBS } from "./serve-verbs.ts";
import { WORKER_VERB } from "./worker-verb.ts";
import {
  DRY_RUN_FLAG,
  INPUT_FLAGS,
  OVERRIDE_FLAG,
  PAGE_FLAGS,
  SELECTION_FLAGS,
  WORK_EXITS,
  WORK_FLAGS,
} from "./verb-flags.ts";

const TARGET = { name: "file-or-pipeline" };

const run: VerbSpec = {
  name: "run",
  summary: "run a pipeline here, durably",
  args: [TARGET],
  flags: [
    ...INPUT_FLAGS,
    { flags: "--items <file>", about: "one run per line of JSON, results in their order" },
    { flags: "--key <key>", about: "the run's own key: started once, then shown" },
    ...SELECTION_FLAGS,
    DRY_RUN_FLAG,
    ...WORK_FLAGS,
    { flags: "--force[=<stages>]", about: "do not ask the cache: for these stages, or for any" },
    { flags: "--no-retry", about: "one attempt each" },
    OVERRIDE_FLAG,
    { flags: "--report <file>", about: "write a report: .html, .md or .json by its ending" },
    { flags: "--tag <key=value>", about: "kept with the run; repeatable", repeat: true },
  ],
  examples: ["npx millrace run pipelines/hello.ts", "npx millrace run crawl.ts --input @july.json"],
  exits: WORK_EXITS,
  load: () => import("../commands/run.ts"),
};

const plan: VerbSpec = {
  name: "plan",
  summary: "say what would run, and why, without doing it",
  args: [TARGET],
  flags: [
    ...INPUT_FLAGS,
    ...SELECTION_FLAGS,
    { flags: "--force[=<stages>]", about: "as if the cache were not asked: for these, or for any" },
    { flags: "--report <file>", about: "write the plan to a file as well" },
    { flags: "--detailed-exitcode", about: "exit 20 when anything would run" },
  ],
  examples: ["npx millrace plan pipelines/hello.ts", "npx millrace plan crawl.ts --from score"],
  exits: [
    "0  a plan",
    "2  usage, configuration or definition",
    "6  store lost",
    "20  there is work",
  ],
  load: () => import("../commands/plan.ts"),
};

const graph: VerbSpec = {
  name: "graph",
  summary: "draw a pipeline",
  args: [{ ...TARGET, required: true }],
  flags: [
    { flags: "--format <format>", about: "ascii, mermaid or dot (default ascii)" },
    { flags: "--run <run>", about: "with the states of this run" },
  ],
  examples: [
    "npx millrace graph pipelines/hello.ts",
    "npx millrace graph crawl.ts --format mermaid",
  ],
  exits: ["0  drawn", "2  usage, configuration or definition; unknown run"],
  load: () => import("../commands/graph.ts"),
};

const runs: VerbSpec = {
  name: "runs",
  summary: "list runs, newest first",
  args: [],
  flags: [
    ...PAGE_FLAGS,
    { flags: "--since <when>", about: "queued since: 2h, or an ISO time" },
    { flags: "--state <states>", about: "only these states: failed,waiting" },
    { flags: "--pipeline <name>", about: "only this pipeline" },
    { flags: "--tag <key=value>", about: "only runs with this tag" },
    { flags: "--parent <run>", about: "only runs made from this one" },
  ],
  examples: ["npx millrace runs", "npx millrace runs --state failed --since 2h"],
  exits: ["0  listed", "2  usage, unknown run"],
  load: () => import("../commands/runs.ts"),
};

const show: VerbSpec = {
  name: "show",
  summary: "show a run, a stage, an item or a pipeline",
  args: [{ name: "RUN[/STAGE[/KEY]]|file-or-pipeline", required: true }],
  flags: [{ flags: "--entry", about: "of a pipeline: only its entry stages" }],
  examples: [
    "npx millrace show last",
    "npx millrace show last/score",
    "npx millrace show crawl.ts --entry",
  ],
  exits: ["0  shown", "2  usage; unknown run, stage, item or pipeline"],
  load: () => import("../commands/show.ts"),
};

const items: VerbSpec = {
  name: "items",
  summary: "list the items of a map stage",
  args: [{ name: "RUN/STAGE", required: true }],
  flags: [
    ...PAGE_FLAGS,
    { flags: "--state <states>", about: "only these states: failed,waiting" },
    { flags: "--jsonl", about: "every item, one line of JSON each, with its output" },
  ],
  examples: ["npx millrace items last/score --state failed"],
  exits: ["0  listed", "2  usage; unknown run or stage"],
  load: () => import("../commands/items.ts"),
};

const why: VerbSpec = {
  name: "why",
  summary: "say why a run, stage or item is in its state",
  args: [{ name: "RUN[/STAGE[/KEY]]", required: true }],
  flags: [{ flags: "--history", about: "past waits as well, with totals by cause" }],
  examples: ["npx millrace why last", "npx millrace why last/score/row-7"],
  exits: ["0  answered", "2  usage; unknown run, stage or item"],
  load: () => import("../commands/why.ts"),
};

const resume: VerbSpec = {
  name: "resume",
  summary: "go on with a failed, cancelled or interrupted run",
  args: [{ name: "RUN", variadic: true }],
  flags: [
    { flags: "--from <stage>", about: "redo this stage and all after it" },
    DRY_RUN_FLAG,
    ...WORK_FLAGS,
  ],
  examples: ["npx millrace resume", "npx millrace resume last --from score"],
  exits: WORK_EXITS,
  load: () => import("../commands/resume.ts"),
};

const rerun: VerbSpec = {
  name: "rerun",
  summary: "make a new run from an old one",
  args: [{ name: "RUN", required: true }],
  flags: [
    { flags: "--from <stage>", about: "take over the results before this stage" },
    { flags: "--only-failed", about: "take over every success" },
    ...INPUT_FLAGS.filter((flag) => flag.flags.startsWith("--set")),
    OVERRIDE_FLAG,
    DRY_RUN_FLAG,
    ...WORK_FLAGS,
  ],
  examples: ["npx millrace rerun last", "npx millrace rerun last --only-failed"],
  exits: WORK_EXITS,
  load: () => import("../commands/rerun.ts"),
};

const cancel: VerbSpec = {
  name: "cancel",
  summary: "end runs that are queued, waiting or running",
  args: [{ name: "RUN", variadic: true }],
  flags: [
    { flags: "--state <states>", about: "instead: all runs that are queued,waiting", repeat: true },
    { flags: "--pipeline <name>", about: "of those only this pipeline's" },
    { flags: "--reason <text>", about: "kept with the run, shown by why" },
    { flags: "--wait", about: "until they have ended" },
    { flags: "--force", about: "take them from a process that is stuck, and name it" },
    { flags: "-n, --dry-run", about: "only count" },
    { flags: "--yes", about: "do not ask" },
  ],
  examples: [
    "npx millrace cancel last --reason 'wrong input'",
    "npx millrace cancel last --force",
    "npx millrace cancel --pipeline crawl --state queued -n",
  ],
  exits: [
    "0  cancelled, or the cancel is requested",
    "1  --wait saw another end",
    "2  usage; unknown run; nobody to ask and no --yes",
    "4  it had ended otherwise",
  ],
  load: () => import("../commands/cancel.ts"),
};

const OUTPUT_FLAG = { flags: "-o, --output <file>", about: "a new file (default stdout)" };
const EXPORT_EXITS = [
  "0  written",
  "2  usage; unknown run",
  "4  the file is there already",
  "6  the file cannot be written, store lost",
];

const exportCheckpoint: VerbSpec = {
  name: "export checkpoint",
  summary: "write every item of a run as a JSON checkpoint file",
  args: [{ name: "RUN", required: true }],
  flags: [OUTPUT_FLAG],
  examples: ["npx millrace export checkpoint last -o checkpoint.json"],
  exits: EXPORT_EXITS,
  load: () => import("../commands/export-checkpoint.ts"),
};

const exportTrace: VerbSpec = {
  name: "export trace",
  summary: "write every attempt and wait of a run as rows",
  args: [{ name: "RUN", required: true }],
  flags: [
    OUTPUT_FLAG,
    {
      flags: "--format <format>",
      about: "csv or jsonl (default csv); text like =1+1 gets a ' in csv",
    },
  ],
  examples: ["npx millrace export trace last -o trace.csv"],
  exits: EXPORT_EXITS,
  load: () => import("../commands/export-trace.ts"),
};

const queueRun: VerbSpec = {
  name: "queue run",
  summary: "work the queue here",
  args: [TARGET],
  flags: [
    { flags: "--drain", about: "end when nothing is queued or running" },
    { flags: "-j <count>", about: "runs at once, 1 to 256 (default 8)" },
    { flags: "--pipelines <names>", about: "only these: a,b", repeat: true },
    { flags: "--max-runs <count>", about: "end after so many runs" },
    { flags: "--strict", about: "runs that were returned give exit 3" },
    { flags: "--logs <which>", about: "what stages write: all, failed or none (default failed)" },
  ],
  examples: ["npx millrace queue run --drain", "npx millrace queue run crawl.ts -j 32"],
  exits: WORK_EXITS,
  load: () => import("../commands/queue-run.ts"),
};

const storeBackup: VerbSpec = {
  name: "store backup",
  summary: "copy the store with its blobs while it is in use",
  args: [{ name: "FILE", required: true }],
  flags: [],
  examples: ["npx millrace store backup backups/store.db"],
  exits: [
    "0  copied and checked",
    "2  usage; no store, or one in memory",
    "4  the file is there already",
    "6  the copy is damaged or cannot be written",
  ],
  load: () => import("../commands/store-backup.ts"),
};

const gc: VerbSpec = {
  name: "gc",
  summary: "delete old runs and events, and large values nobody needs",
  args: [],
  flags: [
    { flags: "-n, --dry-run", about: "only count" },
    { flags: "--yes", about: "do not ask" },
  ],
  examples: ["npx millrace gc -n", "npx millrace gc --yes"],
  exits: [
    "0  deleted, counted, or nothing to delete",
    "2  usage; no store, or one in memory; nobody to ask and no --yes",
    "6  store lost",
  ],
  load: () => import("../commands/gc.ts"),
};

const init: VerbSpec = {
  name: "init",
  summary: "write a first pipeline and its configuration",
  args: [{ name: "dir" }],
  flags: [{ flags: "--template <name>", about: "hello, map or command (default hello)" }],
  examples: ["npx millrace init", "npx millrace init demo --template map"],
  exits: ["0  written", "2  usage", "4  a file is in the way; nothing was written"],
  load: () => import("../commands/init.ts"),
};

const doctor: VerbSpec = {
  name: "doctor",
  summary: "check runtime, store, configuration and terminal",
  args: [],
  flags: [{ flags: "--strict", about: "warnings give exit 3" }],
  examples: ["npx millrace doctor"],
  exits: ["0  all checks passed", "1  a check failed", "3  warnings, under --strict"],
  load: () => import("../commands/doctor.ts"),
};

/** Every verb, in the order of help. Hidden ones are spellings that work and are not shown. */
export const VERBS: readonly VerbSpec[] = [
  run,
  plan,
  graph,
  runs,
  show,
  items,
  why,
  ...EVENT_VERBS,
  resume,
  rerun,
  cancel,
  queueRun,
  ...QUEUE_VERBS,
  WORKER_VERB,
  ...SERVE_VERBS,
  ...RESOURCE_VERBS,
  ...SCHEDULE_VERBS,
  ...HEALTH_VERBS,
  ...CONFIG_VERBS,
  exportCheckpoint,
  exportTrace,
  gc,
  storeBackup,
  init,
  doctor,
  ...SHORT_QUEUE_VERBS,
  ...SHORT_RESOURCE_VERBS,
  ...SHORT_CONFIG_VERBS,
  { ...queueRun, name: "work", hidden: true },
  { ...show, name: "status", hidden: true },
  { ...plan, name: "validate", hidden: true, preset: { faultsOnly: true } },
];
