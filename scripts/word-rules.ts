// The words that a room may not say: real time and chance outside std, the environment outside config,
// a terminal outside cli, a database in the engine, waiting in the pure rooms.
// Only code is read: comments never count, and strings only where a name in a string is the fault.

import { roomOf } from "./layer-rules.ts";
import type { FileRule, SourceFile } from "./layer-rules.ts";
import { lineAt } from "./source-text.ts";

interface WordRule {
  readonly rule: string;
  readonly pattern: RegExp;
  /** Where the pattern looks: code with blank strings, or with strings. */
  readonly within: "bare" | "code";
  readonly appliesTo: (file: SourceFile, room: string) => boolean;
  /** Completes: `"<word>" ...`. */
  readonly message: string;
}

const TIMERS = String.raw`set(?:Timeout|Interval|Immediate)\b(?!\s*\??:)`;
const TIME = String.raw`Date\.now\b|new\s+Date\s*(?:\(\s*\)|;)|performance\s*\.|process\s*\.\s*(?:hrtime|uptime|nextTick)\b|AbortSignal\s*\.\s*timeout\b`;
const CHANCE = String.raw`Math\.random\b|crypto\s*\.\s*getRandomValues\b`;
const CHANCE_ANYWHERE = /(?<![\w$])(?:randomUUID(?:v7)?|randomBytes|randomInt|getRandomValues)\b/g;

const ships = (file: SourceFile): boolean => !file.isTest;
const isSystemFree = (file: SourceFile, room: string): boolean =>
  ships(file) && room !== "std" && room !== "dashboard";

// std/machine.ts is where a process is described to those who are given one: its variables belong there.
const ENVIRONMENT_FILES: readonly string[] = ["src/cli/main.ts", "src/std/machine.ts"];
const readsNoEnvironment = (file: SourceFile, room: string): boolean =>
  ships(file) && room !== "config" && !ENVIRONMENT_FILES.includes(file.path);

const WORD_RULES: readonly WordRule[] = [
  {
    rule: "time-is-an-argument",
    pattern: new RegExp(String.raw`(?<![.\w$])(?:globalThis\s*\.\s*)?(?:${TIME}|${TIMERS})`, "g"),
    within: "bare",
    appliesTo: isSystemFree,
    message: "reads or waits for real time; take a Clock from std/clock.ts as an argument.",
  },
  {
    rule: "chance-is-an-argument",
    pattern: new RegExp(String.raw`(?<![.\w$])(?:globalThis\s*\.\s*)?(?:${CHANCE})`, "g"),
    within: "bare",
    appliesTo: isSystemFree,
    message: "is real chance; take a Random from std/random.ts as an argument.",
  },
  {
    rule: "chance-is-an-argument",
    pattern: CHANCE_ANYWHERE,
    within: "bare",
    appliesTo: isSystemFree,
    message: "is real chance; take a Random from std/random.ts as an argument.",
  },
  {
    rule: "no-sleeping",
    pattern: /(?<![.\w$])set(?:Timeout|Interval)\s*\(|["'](?:node:)?timers\/promises["']/g,
    within: "code",
    appliesTo: (file, room) => file.isTest && room !== "std" && room !== "dashboard",
    message: "lets a test wait for a while; wait for an event, a signal or a clock advance.",
  },
  {
    rule: "environment-is-config",
    pattern:
      /\bprocess\s*\??\.\s*env\b|\{[^{}]*\benv\b[^{}]*\}\s*=\s*(?:globalThis\s*\.\s*)?process\b/g,
    within: "bare",
    appliesTo: readsNoEnvironment,
    message: "reads the environment, which config/ alone does; take the value as an option.",
  },
  {
    rule: "environment-is-config",
    pattern: /\bprocess\s*\[\s*["']env|\{[^{}]*\benv\b[^{}]*\}\s*from\s*["'](?:node:)?process["']/g,
    within: "code",
    appliesTo: readsNoEnvironment,
    message: "reads the environment, which config/ alone does; take the value as an option.",
  },
  {
    rule: "printing-is-cli",
    pattern:
      /(?<![.\w$])(?:globalThis\s*\.\s*)?(?:console\s*[.[]|process\s*\.\s*std(?:out|err)\b)/g,
    within: "bare",
    appliesTo: (file, room) => ships(file) && room !== "cli",
    message: "prints, which cli/ alone does; emit an event or take a Logger.",
  },
  {
    rule: "exit-is-main",
    pattern: /\bprocess\s*\.\s*(?:exit|reallyExit|abort)\b/g,
    within: "bare",
    appliesTo: (file) => ships(file) && file.path !== "src/cli/main.ts",
    message: "ends the process, which cli/main.ts alone does; return an outcome or throw.",
  },
  {
    rule: "engine-names-no-store",
    pattern: /\b\w*(?:sqlite|postgres|pgsql)\w*\b/gi,
    within: "code",
    appliesTo: (file, room) => ships(file) && room === "engine",
    message: "names a concrete store; ask the port or its capabilities.",
  },
  {
    rule: "decisions-do-not-wait",
    pattern: /(?<![.\w$])(?:async|await)\b(?!\s*:)/g,
    within: "bare",
    appliesTo: (file, room) => ships(file) && (room === "model" || room === "policy"),
    message: "waits, and this room only computes; do the waiting in the engine.",
  },
];

/** Every banned word of one file, at its line. */
export const saysNoBannedWord: FileRule = (file) => {
  const room = roomOf(file.path);
  if (room === undefined) return [];
  return WORD_RULES.filter((rule) => rule.appliesTo(file, room)).flatMap((rule) =>
    [...file.source[rule.within].matchAll(rule.pattern)].map((found) => ({
      file: file.path,
      line: lineAt(file.source.text, found.index),
      rule: rule.rule,
      message: `"${found[0].replaceAll(/\s+/g, " ").trim()}" ${rule.message}`,
    })),
  );
};
