// Checks what compiler and linter cannot: leftover reminders, page titles, dead links, paths of one
// machine, crowded folders, long files, names that say nothing.
//
//   node scripts/tidy.ts                    this repository; exit 1 when anything is found

import { join, posix } from "node:path";
import { listFiles, readText, report } from "./repository.ts";
import type { Finding } from "./repository.ts";
import {
  findCrowdedFolders,
  findLongFile,
  findMachinePaths,
  findReminders,
  findShapelessNames,
} from "./tidy-files.ts";
import { findDeadLinks, findTitleFaults } from "./tidy-markdown.ts";
import type { Shelf } from "./tidy-markdown.ts";

/** All departures of the tree below a root, in order of files. */
export function checkTidy(root: string): Finding[] {
  const paths = listFiles(root);
  const shelf: Shelf = {
    paths: new Set(paths.flatMap(withFolders)),
    read: (file) => readText(root, file),
  };
  const found = paths.flatMap((file) => {
    const names = findShapelessNames(file);
    return isBinary(file) ? names : [...names, ...findInText(file, readText(root, file), shelf)];
  });
  return [...found, ...findCrowdedFolders(paths)];
}

function findInText(file: string, text: string, shelf: Shelf): Finding[] {
  const common = [
    ...findLongFile(file, text),
    ...findReminders(file, text),
    ...findMachinePaths(file, text),
  ];
  if (!file.endsWith(".md")) return common;
  return [...common, ...findTitleFaults(file, text), ...findDeadLinks(file, text, shelf)];
}

function isBinary(file: string): boolean {
  return /\.(?:png|jpe?g|gif|webp|ico|pdf|wav|woff2?|db|sqlite|gz|zip)$/.test(file);
}

/** A path and every folder above it. */
function withFolders(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === "." ? [path] : [path, ...withFolders(parent)];
}

if (import.meta.main) {
  const root = process.argv[2] ?? join(import.meta.dirname, "..");
  report("tidy", checkTidy(root), "nothing lies about");
}
