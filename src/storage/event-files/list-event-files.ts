// Which files hold events, in the order they were written: those of a run, or those of all days, old ones included.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./is-missing.ts";
import { ARCHIVE_FOLDER, isEventFile, RUNS_FOLDER } from "./event-file-name.ts";

/** Paths of the files of a run, by id. Empty: it has none of its own. */
export async function listRunFiles(folder: string, runId: string): Promise<readonly string[]> {
  return await list(folder, RUNS_FOLDER, (name) => name.startsWith(`${runId.toLowerCase()}.`));
}

/** Paths of the files of all days. Empty: there is no such folder. */
export async function listDayFiles(folder: string): Promise<readonly string[]> {
  return await list(folder, "", () => true);
}

async function list(
  folder: string,
  sub: string,
  isWanted: (name: string) => boolean,
): Promise<readonly string[]> {
  const found: { readonly name: string; readonly path: string }[] = [];
  for (const place of [join(folder, ARCHIVE_FOLDER, sub), join(folder, sub)]) {
    for (const name of await namesIn(place)) {
      const path = join(place, name);
      if (isEventFile(name) && isWanted(name) && (await isFile(path))) found.push({ name, path });
    }
  }
  return found.toSorted((left, right) => byPart(left.name, right.name)).map(({ path }) => path);
}

/** `2026-07-14.jsonl` before `2026-07-14.2.jsonl`, and that before `2026-07-14.10.jsonl`. */
function byPart(left: string, right: string): number {
  const [a, b] = [left.split("."), right.split(".")];
  if (a[0] !== b[0]) return (a[0] ?? "") < (b[0] ?? "") ? -1 : 1;
  const partOf = (parts: readonly string[]): number => (parts.length > 2 ? Number(parts[1]) : 1);
  return partOf(a) - partOf(b);
}

async function namesIn(place: string): Promise<readonly string[]> {
  try {
    return await readdir(place);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFile() === true;
}
