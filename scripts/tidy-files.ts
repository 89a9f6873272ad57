// What files and folders owe: a name that says what is inside, a size that a reader can hold, no
// leftover reminders, and no path of the machine on which they were written.

import { posix } from "node:path";
import { isTest } from "./repository.ts";
import type { Finding } from "./repository.ts";
import { readSource } from "./source-text.ts";
import { withoutCode } from "./tidy-markdown.ts";

const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const FOLDER_FILES_MAX = 20;

/** Folders whose files are data, made by a tool, or counted by history. */
const EXEMPT = /(?:^|\/)(?:fixtures|golden|migrations|generated)\//;
const SHAPELESS_FILE =
  /^(?:utils?|helpers?|types|interfaces|common|misc|shared)\.(?:test\.)?[jt]sx?$/;
const SHAPELESS_FOLDER = /^(?:utils?|helpers?|common|misc|shared)$/;
const CODE = /\.(?:[cm]?[jt]sx?)$/;
const TEXT = /(?:\.(?:[cm]?[jt]sx?|json|md|ya?ml|sh|txt|css|html|sql)|(?:^|\/)\.?[\w-]+)$/;

const REMINDER = /\b(?:TODO\b(?![^\n]*#\d)|FIXME\b|XXX\b)/g;
// The folders in which people and runners keep their work. A path inside a word or a URL is none.
const MACHINE_PATH =
  /(?<![\w.~/:@$}-])\/(?:home|Users|root|work|tmp|mnt|private|var\/folders)\/[\w.-]+|\b[A-Z]:\\Users\\/g;

/** A name that says nothing attracts everything; a barrel is where rings begin. */
export function findShapelessNames(file: string): Finding[] {
  if (EXEMPT.test(file) || !CODE.test(file)) return [];
  const { base, dir } = posix.parse(file);
  const folder = dir.split("/").find((part) => SHAPELESS_FOLDER.test(part));
  if (SHAPELESS_FILE.test(base) || folder !== undefined) {
    const what = folder === undefined ? `"${base}"` : `The folder "${folder}"`;
    const message = `${what} says nothing about what is inside; name the file after its main export and put it with its noun.`;
    return [{ file, rule: "name-says-what", message }];
  }
  const isInRoom = /^src\/[^/]+\//.test(file) && !file.startsWith("src/exports/");
  if (isInRoom && /^index\.[jt]sx?$/.test(base)) {
    const message =
      "A barrel inside a room is where rings begin; import the file that holds the name.";
    return [{ file, rule: "no-barrel", message }];
  }
  const stem = base.replace(/(?:\.(?:store|test|config|d))*\.[cm]?[jt]sx?$/, "");
  if (/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem)) return [];
  return [
    {
      file,
      rule: "kebab-case",
      message: `"${base}" is not kebab-case; rename it after its main export.`,
    },
  ];
}

/** The ceiling of a source or test file, in lines. */
export function findLongFile(file: string, text: string): Finding[] {
  if (EXEMPT.test(file) || !CODE.test(file)) return [];
  const max =
    isTest(file) || file.includes("/store-suite/") || file.startsWith("test/")
      ? TEST_LINES_MAX
      : LINES_MAX;
  const lines = text.split("\n").length - 1;
  if (lines <= max) return [];
  const message = `${lines} lines, the ceiling is ${max}; a file holds one idea, so split it by noun or by use case.`;
  return [{ file, rule: "file-ceiling", message }];
}

/** Folders of code with more files than a reader can keep in mind, tests not counted. */
export function findCrowdedFolders(files: readonly string[]): Finding[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    if (!/^(?:src|scripts|bench|test|examples)\//.test(file) || EXEMPT.test(file)) continue;
    if (!CODE.test(file) || isTest(file)) continue;
    const folder = posix.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].flatMap(([file, count]) => {
    if (count <= FOLDER_FILES_MAX) return [];
    const message = `${count} files, the ceiling is ${FOLDER_FILES_MAX}; give a noun that has three files its own folder.`;
    return [{ file, rule: "folder-ceiling", message }];
  });
}

/** Reminders that nobody tracks: in comments of code, in the prose of pages. */
export function findReminders(file: string, text: string): Finding[] {
  const isPage = file.endsWith(".md");
  if (EXEMPT.test(file) || (!CODE.test(file) && !isPage)) return [];
  const spoken = isPage ? withoutCode(text) : readSource(text).comments;
  return [...spoken.matchAll(REMINDER)].map((found) => ({
    file,
    line: spoken.slice(0, found.index).split("\n").length,
    rule: "tracked-reminder",
    message: `"${found[0]}" without an issue number is forgotten; do it now, or write TODO with the number (#12).`,
  }));
}

/** Paths that exist on one machine only. */
export function findMachinePaths(file: string, text: string): Finding[] {
  if (!TEXT.test(file)) return [];
  return [...text.matchAll(MACHINE_PATH)].map((found) => ({
    file,
    line: text.slice(0, found.index).split("\n").length,
    rule: "no-machine-path",
    message: `"${found[0]}" exists on one machine; use a relative path, or os.tmpdir() for scratch files.`,
  }));
}
