// Checks of the process: runtime, open files, terminal.

import { readFileSync } from "node:fs";
import { alphabetOf, MARKS } from "../render/marks.ts";
import type { CliContext } from "../cli-context.ts";
import type { Check } from "./check.ts";

/** The oldest runtime that carries what is needed; `bin/millrace.js` refuses an older one before this. */
const NODE_MIN = [24, 15, 0] as const;

/** The runtime's version. */
export function checkNode(version: string): Check {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  const needs = NODE_MIN.join(".");
  const isNew = compare(parts, NODE_MIN) >= 0;
  return {
    name: "node",
    status: isNew ? "ok" : "fail",
    value: `${version} (needs ${needs})`,
    ...(isNew ? {} : { hint: `install Node ${needs} or newer` }),
  };
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [index, part] of right.entries()) {
    const difference = (left[index] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}

const OPEN_FILES_MIN = 1_024;

/** How many files the process may have open; only Linux tells it as text. */
export function checkOpenFiles(): Check {
  const limits = readText("/proc/self/limits");
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return { name: "files", status: "ok", value: "limit not told here" };
  const isEnough = soft === "unlimited" || Number(soft) >= OPEN_FILES_MIN;
  return {
    name: "files",
    status: isEnough ? "ok" : "warn",
    value: `at most ${soft} open`,
    ...(isEnough ? {} : { hint: `many commands at once need more: ulimit -n ${OPEN_FILES_MIN}` }),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** What the terminal is, with the marks in both alphabets to look at. */
export function checkTerminal(context: CliContext): Check {
  const { isTTY, columns, rows } = context.stderr;
  const [unicode, ascii] = (["unicode", "ascii"] as const).map((name) => {
    const { marks } = alphabetOf(name);
    return MARKS.map((mark) => marks[mark]).join(" ");
  });
  const size = isTTY === true ? `${columns ?? "?"}×${rows ?? "?"}` : "not a terminal";
  return { name: "terminal", status: "ok", value: `${size}   ${unicode}   ${ascii}` };
}
