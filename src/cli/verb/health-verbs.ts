// The verbs of health and reports, as data.

import type { VerbSpec } from "./verb.ts";

const health: VerbSpec = {
  name: "health",
  summary: "say how pipelines are doing, and what stages depend on",
  args: [{ name: "PIPELINE" }],
  flags: [],
  examples: ["npx millrace health", "npx millrace health crawl --json"],
  exits: ["0  all is healthy", "1  something is not", "2  usage, configuration; unknown pipeline"],
  load: () => import("../commands/health/show.ts"),
};

const ack: VerbSpec = {
  name: "health ack",
  summary: "unblock a pipeline: somebody has looked at it",
  args: [{ name: "PIPELINE", required: true }],
  flags: [{ flags: "--reason <text>", about: "what was found; kept and shown" }],
  examples: ["npx millrace health ack crawl --reason 'made room on the disk'"],
  exits: [
    "0  acknowledged, or nothing blocked it",
    "2  usage; no store; unknown pipeline; no reason",
    "6  store lost",
  ],
  load: () => import("../commands/health/ack.ts"),
};

const report: VerbSpec = {
  name: "report",
  summary: "report on a run, on two, or on a period",
  args: [{ name: "RUN", variadic: true }],
  flags: [
    { flags: "--compare", about: "two runs: report --compare A B" },
    { flags: "--pipeline <name>", about: "a period: runs of this pipeline" },
    { flags: "--since <when>", about: "a period: ended since 24h, or an ISO time" },
    { flags: "--format <format>", about: "md, html, json or csv (default md, or by -o)" },
    { flags: "-o, --output <file>", about: "a file (default stdout)" },
    {
      flags: "--target <name=value>",
      about: "success-rate=0.98, p95=2m; repeatable; missed: exit 1",
      repeat: true,
    },
  ],
  examples: [
    "npx millrace report last --target duration=5m",
    "npx millrace report --pipeline crawl --since 7d --format csv",
    "npx millrace report --compare 1 2 -o compared.html",
  ],
  exits: [
    "0  reported, and every target is met",
    "1  a target is missed",
    "2  usage; unknown run, pipeline or target",
    "6  the file cannot be written, store lost",
  ],
  load: () => import("../commands/health/report.ts"),
};

/** Verbs of health and reports. */
export const HEALTH_VERBS: readonly VerbSpec[] = [health, ack, report];
