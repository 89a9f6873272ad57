// The verbs that read events and log lines.

import type { VerbSpec } from "./verb.ts";

const FOLLOW_FLAG = { flags: "--follow", about: "go on with what comes; ends when the run does" };
const SINCE_FLAG = { flags: "--since <when>", about: "told since: 2h, or an ISO time" };
const EXITS = [
  "0  printed",
  "2  usage; unknown run or type; no store",
  "130, 143  ended by a signal",
];

const events: VerbSpec = {
  name: "events",
  summary: "print what happened, of a run or of all",
  args: [{ name: "RUN" }],
  flags: [
    FOLLOW_FLAG,
    { flags: "--after <seq>", about: "only after this number" },
    SINCE_FLAG,
    { flags: "--tail <count>", about: "only the last so many (without RUN 20)" },
    { flags: "--type <types>", about: "only these: run.failed, 'stage.*'", repeat: true },
  ],
  examples: ["npx millrace events last", "npx millrace events --type 'run.*' --after 0"],
  exits: EXITS,
  load: () => import("../commands/events/events.ts"),
};

const logs: VerbSpec = {
  name: "logs",
  summary: "print what the stages of a run have logged",
  args: [{ name: "RUN[/STAGE[/KEY]]", required: true }],
  flags: [
    FOLLOW_FLAG,
    { flags: "--grep <text>", about: "only lines that contain this text" },
    { flags: "--level <level>", about: "this and above: debug, info, warn or error" },
    { flags: "--attempt <number>", about: "only of this attempt" },
    { flags: "--tail <count>", about: "only the last so many" },
    SINCE_FLAG,
  ],
  examples: ["npx millrace logs last", "npx millrace logs last/score --level warn --tail 50"],
  exits: EXITS,
  load: () => import("../commands/events/logs.ts"),
};

/** Both, in the order of help. */
export const EVENT_VERBS: readonly VerbSpec[] = [logs, events];
