// The repository as the checking scripts see it: which files belong to it, and how a fault is told.
// A fault is one sentence that a reviewer would say: where, which rule, what is wrong, what to do.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One departure from a rule. */
export interface Finding {
  /** Path from the root, with forward slashes. */
  readonly file: string;
  /** Counted from 1; absent when the fault is of the file as a whole. */
  readonly line?: number;
  /** Short name of the rule, kebab-case. */
  readonly rule: string;
  readonly message: string;
}

const NOT_OURS = new Set(["node_modules", "dist", "coverage", ".git", ".millrace"]);
const NOT_OURS_AT = /^(?:bench\/results|test\/\.tmp|examples\/[^/]+\/out)$/;

/** Every file below the root that is neither installed nor made by a tool, as sorted relative paths. */
export function listFiles(root: string): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (NOT_OURS.has(entry.name) || NOT_OURS_AT.test(path)) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && !entry.name.endsWith(".tgz")) found.push(path);
    }
  };
  visit("");
  return found.toSorted();
}

/** The text of one file of the repository. */
export function readText(root: string, file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** Whether a file is a test by its name. */
export function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file);
}

/** The line that is printed for a fault. */
function toSentence(finding: Finding): string {
  const place = finding.line === undefined ? finding.file : `${finding.file}:${finding.line}`;
  return `${place}  ${finding.rule}\n    ${finding.message}`;
}

/** Prints the outcome of a script and sets the exit code: 1 when anything was found. */
export function report(script: string, findings: readonly Finding[], good: string): void {
  if (findings.length === 0) {
    process.stdout.write(`${script}: ${good}\n`);
    return;
  }
  for (const finding of findings) process.stderr.write(`${toSentence(finding)}\n`);
  process.stderr.write(`${script}: ${findings.length} to mend\n`);
  process.exitCode = 1;
}
