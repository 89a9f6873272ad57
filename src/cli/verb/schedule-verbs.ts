// The verbs of schedules, as data.

import { INPUT_FLAGS, PAGE_FLAGS } from "./verb-flags.ts";
import type { FlagSpec, VerbSpec } from "./verb.ts";

const NAME = { name: "NAME", required: true };
const REASON_FLAG: FlagSpec = { flags: "--reason <text>", about: "kept with the change" };
const EXITS: readonly string[] = [
  "0  done",
  "2  usage, configuration; unknown name, impossible value",
  "6  store lost",
];

const list: VerbSpec = {
  name: "schedule list",
  summary: "list schedules with their last and next tick",
  args: [],
  flags: PAGE_FLAGS,
  examples: ["npx millrace schedule list"],
  exits: ["0  listed", "2  usage, configuration"],
  load: () => import("../commands/schedule/list.ts"),
};

const next: VerbSpec = {
  name: "schedule next",
  summary: "say when schedules tick next, in their zone and UTC",
  args: [{ name: "NAME" }],
  flags: [
    { flags: "-n, --count <count>", about: "ticks of each (default 10)" },
    { flags: "--after <time>", about: "those after this ISO time (default now)" },
  ],
  examples: [
    "npx millrace schedule next",
    "npx millrace schedule next nightly -n 3 --after 2026-10-24T00:00:00Z",
  ],
  exits: ["0  listed", "2  usage, configuration; unknown name"],
  load: () => import("../commands/schedule/next.ts"),
};

const enable: VerbSpec = {
  name: "schedule enable",
  summary: "switch a schedule on, until somebody says otherwise",
  args: [NAME],
  flags: [REASON_FLAG],
  examples: ["npx millrace schedule enable nightly"],
  exits: EXITS,
  load: () => import("../commands/schedule/enable.ts"),
};

const disable: VerbSpec = {
  name: "schedule disable",
  summary: "switch a schedule off, also over restarts",
  args: [NAME],
  flags: [REASON_FLAG],
  examples: ["npx millrace schedule disable nightly --reason 'they move'"],
  exits: EXITS,
  load: () => import("../commands/schedule/disable.ts"),
};

const set: VerbSpec = {
  name: "schedule set",
  summary: "set fields of a schedule; the others stay",
  args: [NAME, { name: "FIELD=VALUE", required: true, variadic: true }],
  flags: [REASON_FLAG],
  examples: [
    "npx millrace schedule set nightly dailyAt=03:15",
    "npx millrace schedule set quarter every=30m overlap=queue",
  ],
  exits: EXITS,
  load: () => import("../commands/schedule/set.ts"),
};

const reset: VerbSpec = {
  name: "schedule reset",
  summary: "back to what the configuration says",
  args: [NAME],
  flags: [REASON_FLAG],
  examples: ["npx millrace schedule reset nightly"],
  exits: EXITS,
  load: () => import("../commands/schedule/reset.ts"),
};

const trigger: VerbSpec = {
  name: "schedule trigger",
  summary: "queue a run of a schedule now",
  args: [NAME],
  flags: [
    ...INPUT_FLAGS,
    { flags: "--override", about: "although the pipeline's health asks for a word" },
  ],
  examples: ["npx millrace schedule trigger nightly"],
  exits: [
    "0  queued",
    "2  usage, configuration; unknown name",
    "4  refused by its overlap rule, by health, or by a full queue",
    "6  store lost",
  ],
  load: () => import("../commands/schedule/trigger.ts"),
};

const backfill: VerbSpec = {
  name: "schedule backfill",
  summary: "run past ticks, a few at once; serve does it",
  args: [NAME],
  flags: [
    { flags: "--from <time>", about: "first instant, ISO" },
    { flags: "--until <time>", about: "last instant, ISO (default now)" },
    { flags: "-j <count>", about: "runs at once (default 1)" },
    { flags: "-n, --dry-run", about: "only list the ticks" },
    REASON_FLAG,
  ],
  examples: ["npx millrace schedule backfill nightly --from 2026-07-01T00:00:00Z -n"],
  exits: [...EXITS, "4  another backfill of it is under way"],
  load: () => import("../commands/schedule/backfill.ts"),
};

/** Verbs of schedules, in the order of help. */
export const SCHEDULE_VERBS: readonly VerbSpec[] = [
  list,
  next,
  enable,
  disable,
  set,
  reset,
  trigger,
  backfill,
];
