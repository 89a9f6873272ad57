// The verbs of the configuration, and the one that makes shells complete, as data.

import type { VerbSpec } from "./verb.ts";

const print: VerbSpec = {
  name: "config print",
  summary: "print the settings in force",
  args: [{ name: "KEY" }],
  flags: [{ flags: "--origin", about: "also the flag, variable, file and line, or default" }],
  examples: ["npx millrace config print --origin", "npx millrace config print worker --json"],
  exits: ["0  printed", "2  usage, configuration; unknown key"],
  load: () => import("../commands/config/print.ts"),
};

const validate: VerbSpec = {
  name: "config validate",
  summary: "load configuration and pipelines, and list every fault",
  args: [{ name: "FILE" }],
  flags: [],
  examples: ["npx millrace config validate", "npx millrace config validate other.config.ts"],
  exits: ["0  valid", "2  usage; faults"],
  load: () => import("../commands/config/validate.ts"),
};

const schema: VerbSpec = {
  name: "config schema",
  summary: "print the JSON Schema of a configuration",
  args: [],
  flags: [],
  examples: ["npx millrace config schema"],
  exits: ["0  printed", "2  usage"],
  load: () => import("../commands/config/schema.ts"),
};

const completion: VerbSpec = {
  name: "completion",
  summary: "print a script that makes a shell complete",
  args: [{ name: "SHELL", required: true }],
  flags: [],
  examples: ["npx millrace completion bash", "npx millrace completion fish"],
  exits: ["0  printed", "2  usage; a shell that is not known"],
  load: () => import("../commands/config/completion.ts"),
};

/** Verbs of the configuration, in the order of help. */
export const CONFIG_VERBS: readonly VerbSpec[] = [print, validate, schema, completion];

/** Spellings that work and are not shown. */
export const SHORT_CONFIG_VERBS: readonly VerbSpec[] = [
  { ...print, name: "config show", hidden: true },
  {
    name: "config read",
    summary: "answer what a process that serves asks when the file has changed",
    args: [],
    flags: [],
    examples: [],
    exits: [],
    hidden: true,
    load: () => import("../commands/config/read.ts"),
  },
];
