// The verbs of resources, as data.

import { PAGE_FLAGS } from "./verb-flags.ts";
import type { FlagSpec, VerbSpec } from "./verb.ts";

const ADDRESS = { name: "NAME[/KEY]" };
const REASON_FLAG: FlagSpec = { flags: "--reason <text>", about: "told with the event" };
const EXITS: readonly string[] = [
  "0  done",
  "2  usage, configuration; no store; unknown name, impossible value",
  "6  store lost",
];

const list: VerbSpec = {
  name: "resources list",
  summary: "say how limits, quotas and breakers stand",
  args: [ADDRESS],
  flags: PAGE_FLAGS,
  examples: ["npx millrace resources list", "npx millrace resources list host/api.example"],
  exits: ["0  listed", "2  usage, configuration; unknown name"],
  load: () => import("../commands/resources/list.ts"),
};

const set: VerbSpec = {
  name: "resources set",
  summary: "set another limit or quota, for all processes at once",
  args: [
    { ...ADDRESS, required: true },
    { name: "SETTING", required: true, variadic: true },
  ],
  flags: [
    { flags: "--for <duration>", about: "how long it holds (default until reset)" },
    REASON_FLAG,
  ],
  examples: [
    "npx millrace resources set scorer limit=8 quota=60/1m --for 2h",
    "npx millrace resources set host/api.example limit=1 --reason 'they asked'",
  ],
  exits: EXITS,
  load: () => import("../commands/resources/set.ts"),
};

const trip: VerbSpec = {
  name: "resources trip",
  summary: "open a breaker: nothing of it is called",
  args: [{ ...ADDRESS, required: true }],
  flags: [{ flags: "--for <duration>", about: "until a probe may go (default 1h)" }, REASON_FLAG],
  examples: ["npx millrace resources trip scorer --for 10m --reason 'they move'"],
  exits: EXITS,
  load: () => import("../commands/resources/trip.ts"),
};

const reset: VerbSpec = {
  name: "resources reset",
  summary: "back to what is declared, and close the breaker",
  args: [{ ...ADDRESS, required: true }],
  flags: [REASON_FLAG],
  examples: ["npx millrace resources reset scorer"],
  exits: EXITS,
  load: () => import("../commands/resources/reset.ts"),
};

/** Verbs of resources, in the order of help. */
export const RESOURCE_VERBS: readonly VerbSpec[] = [list, set, trip, reset];

/** The spelling without a second word, which works and is not shown. */
export const SHORT_RESOURCE_VERBS: readonly VerbSpec[] = [
  { ...list, name: "resources", hidden: true },
];
