// Checks of the store: can it be opened, written and synced where it lies; is there room; does the clock agree
// with what was written before. What is written for it goes at once; the store itself is only read.

import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMillraceError } from "../../model/errors.ts";
import { openReader } from "../../service/queries/open-reader.ts";
import { probeStore } from "../../service/queries/probe-store.ts";
import type { CliContext } from "../cli-context.ts";
import { showBytes } from "../../std/shown/figures.ts";
import type { Check } from "./check.ts";
import { failed } from "./check-config.ts";

/** Space below this is worth a word: a store grows with every run. */
const FREE_BYTES_MIN = 1_000_000_000;

/** A wall clock behind by more than this makes times of runs go backwards. */
const CLOCK_BEHIND_MS_MAX = 1_000;

/** A sync above this makes every stage wait. */
const SYNC_MS_MAX = 50;

/** Every check of the store at this URL. */
export async function checkStore(context: CliContext, url: string): Promise<readonly Check[]> {
  if (url === "memory:") {
    return [{ name: "store", status: "ok", value: "memory:, ends with its process" }];
  }
  const path = resolve(context.cwd, url.replace(/^sqlite:/, ""));
  const folder = findFolder(dirname(path));
  if (!isWritable(folder)) {
    return [
      {
        name: "store",
        status: "fail",
        value: `${folder} is read-only`,
        hint: "name a store in a folder that is yours",
        next: "npx millrace doctor --store sqlite:PATH",
      },
    ];
  }
  return [
    await checkOpen(url, existsSync(path)),
    await checkSync(folder),
    checkSpace(folder),
    await checkClock(context, url),
  ];
}

/** The nearest folder that exists. */
function findFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : findFolder(dirname(folder));
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function checkOpen(url: string, exists: boolean): Promise<Check> {
  if (!exists) return { name: "store", status: "ok", value: `${url}, made by the first run` };
  try {
    const store = await openReader(url, { mode: "plan" });
    await store.close();
    return { name: "store", status: "ok", value: `${url} opens` };
  } catch (error) {
    return failed("store", error);
  }
}

async function checkSync(folder: string): Promise<Check> {
  const version = process.versions["sqlite"] ?? "unknown";
  try {
    const syncMs = await probeStore(folder);
    const isQuick = syncMs <= SYNC_MS_MAX;
    return {
      name: "sqlite",
      status: isQuick ? "ok" : "warn",
      value: `${version}, write and sync in ${syncMs.toFixed(1)} ms`,
      ...(isQuick ? {} : { hint: "every stage waits for a sync; use a faster disk" }),
    };
  } catch (error) {
    return failed("sqlite", error);
  }
}

function checkSpace(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const isEnough = freeBytes >= FREE_BYTES_MIN;
  return {
    name: "space",
    status: isEnough ? "ok" : "warn",
    value: `${showBytes(freeBytes)} free`,
    ...(isEnough ? {} : { hint: "a full disk ends every run; make room" }),
  };
}

/** Compares with the newest run: a clock that was set back is seen, one that was always wrong is not. */
async function checkClock(context: CliContext, url: string): Promise<Check> {
  const nowMs = context.clock.wallMs();
  const shown = new Date(nowMs).toISOString();
  const newestMs = await readNewest(url);
  const behindMs = newestMs === undefined ? 0 : newestMs - nowMs;
  if (behindMs <= CLOCK_BEHIND_MS_MAX) return { name: "clock", status: "ok", value: shown };
  return {
    name: "clock",
    status: "warn",
    value: `${(behindMs / 1000).toFixed(1)} s behind the newest run`,
    hint: "enable time synchronisation",
  };
}

async function readNewest(url: string): Promise<number | undefined> {
  try {
    const store = await openReader(url, { mode: "plan" });
    try {
      const [newest] = await store.listRuns({ limit: 1 });
      return newest?.updatedAtMs;
    } finally {
      await store.close();
    }
  } catch (error) {
    // Said already by the check that opens it.
    if (isMillraceError(error)) return undefined;
    throw error;
  }
}
