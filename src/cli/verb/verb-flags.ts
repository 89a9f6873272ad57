// Flags that several verbs share, written once so that they mean and say the same everywhere.

import type { FlagSpec } from "./verb.ts";

/** Flags every verb has. */
export const COMMON_FLAGS: readonly FlagSpec[] = [
  { flags: "--store <url>", about: "sqlite:PATH or memory: (default sqlite:.millrace/store.db)" },
  { flags: "--config <file>", about: "configuration (default millrace.config.ts)" },
  { flags: "--json", about: "one JSON document on stdout" },
  { flags: "--log <form>", about: "stderr as auto, live, lines, json, agent or quiet" },
  { flags: "--log-file <file>", about: "also append the lines form to a file" },
  { flags: "--color <when>", about: "auto, always or never" },
  { flags: "--ascii", about: "marks of plain ASCII" },
  { flags: "-q, --quiet", about: "no remarks" },
  { flags: "-v, --verbose", about: "more remarks, stacks of errors" },
  { flags: "-h, --help", about: "help for the verb" },
  { flags: "--version", about: "the version" },
];

/** The input of a run. */
export const INPUT_FLAGS: readonly FlagSpec[] = [
  { flags: "--input <json>", about: "the run's input: JSON, @file, or - for stdin" },
  {
    flags: "--set <path=value>",
    about: "change one field of the input, as in a.b=3; repeatable",
    repeat: true,
  },
];

/** Which stages. */
export const SELECTION_FLAGS: readonly FlagSpec[] = [
  { flags: "--skip <stages>", about: "these stages end skipped: a,b", repeat: true },
  { flags: "--only <stages>", about: "just these; needs come from earlier results", repeat: true },
  { flags: "--until <stage>", about: "this stage and all it needs" },
  { flags: "--from <stage>", about: "this stage and all after it" },
];

/** How the work is done. */
export const WORK_FLAGS: readonly FlagSpec[] = [
  { flags: "-j <count>", about: "attempts at once: a number, 50% of the cores, or auto" },
  { flags: "-k", about: "after a failure go on with what does not depend on it" },
  { flags: "--deadline <duration>", about: "longest time of the run, as in 30m; exit 5" },
  { flags: "--strict", about: "warnings give exit 3" },
  { flags: "--logs <which>", about: "what stages write: all, failed or none (default failed)" },
];

/** For pipelines with a gate. */
export const OVERRIDE_FLAG: FlagSpec = {
  flags: "--override",
  about: "start although health is degraded or unstable",
};

/** Only say what would be done. */
export const DRY_RUN_FLAG: FlagSpec = {
  flags: "-n, --dry-run",
  about: "same as plan: nothing is written or called",
};

/** One page of a list. */
export const PAGE_FLAGS: readonly FlagSpec[] = [
  { flags: "--limit <count>", about: "rows, 1 to 500 (default 20)" },
  { flags: "--cursor <cursor>", about: "go on where a page ended" },
];

/** Endings of a verb that works a run. */
export const WORK_EXITS: readonly string[] = [
  "0  succeeded, or nothing to do",
  "1  failed or cancelled",
  "2  usage, configuration or definition",
  "3  succeeded with warnings, under --strict",
  "4  refused: busy, or its key is active",
  "5  deadline reached",
  "6  internal fault, store lost",
  "130, 143  interrupted by INT, TERM",
];
