// Looks at this process: its memory, its event loop, attempts that did not stop; and at what it stands on: the disk and
// the answers of its store. Where writes would soon fail, or fail, it claims nothing any more until that is over.

import { dirname } from "node:path";
import type { Survey } from "../../engine/upkeep/watchdog.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { MemoryFigures } from "../../model/worker.ts";
import type { Sighting } from "../../policy/watchdog/finding.ts";
import {
  judgeDisk,
  judgeLoop,
  judgeMemory,
  judgeSettings,
  judgeStuck,
  type DiskFigures,
} from "../../policy/watchdog/judge-process.ts";
import type { MillContext } from "../mill-context.ts";

/** What it measures with. */
export interface ProcessFigures {
  readonly readMemory: () => MemoryFigures;
  /** 99th percentile of the delay of the event loop since the last call, ms. */
  readonly takeLoopDelayMs: () => number;
  readonly readDisk: (folder: string) => Promise<DiskFigures>;
  /** 0: there is no such file. */
  readonly readFileBytes: (path: string) => Promise<number>;
  /** What tells a file from every other one; null: there is none. */
  readonly readFileId: (path: string) => Promise<string | null>;
}

/** Looks at the process itself. */
export function makeProcessSurvey(mill: MillContext, figures: ProcessFigures): Survey {
  const { name } = mill.self;
  return {
    name: "process",
    isShared: false,
    look: async () =>
      [
        judgeMemory(figures.readMemory(), name),
        judgeLoop(figures.takeLoopDelayMs(), name),
        judgeStuck(mill.standing.stuck.count, name),
        judgeSettings(mill.standing.refusedSettings, name),
      ].filter((one) => one !== undefined),
  };
}

/** Looks at the disk that the store is on, and claims nothing while it is full. `path` null: it is on none. */
export function makeDiskSurvey(
  { standing }: Pick<MillContext, "standing">,
  path: string | null,
  figures: Pick<ProcessFigures, "readDisk">,
): Survey {
  return {
    name: "disk",
    isShared: false,
    look: async () => {
      if (path === null) return [];
      const sighting = judgeDisk(await figures.readDisk(dirname(path)), path);
      if (sighting === undefined) standing.letGo("disk");
      else standing.hold("disk", sighting.message);
      return sighting === undefined ? [] : [sighting];
    },
  };
}

/** Under what name a lost store file holds up claims. */
export const STORE_FILE_HOLD = "store file";

/**
 * Looks whether the store file is where it was opened, and claims nothing while it is not: who has it open goes on in
 * one that was moved or deleted, without a fault, and nobody else would find what it does. `path` null: it has none.
 */
export function makeFileSurvey(
  { standing }: Pick<MillContext, "standing">,
  path: string | null,
  { readFileId }: Pick<ProcessFigures, "readFileId">,
): Survey {
  let opened: string | null = null;
  let { outages } = standing;
  return {
    name: STORE_FILE_HOLD,
    isShared: false,
    look: async () => {
      if (path === null) return [];
      // A store that failed is opened anew, in whatever file is there by then.
      if (standing.fault !== null || outages !== standing.outages) opened = null;
      ({ outages } = standing);
      const found = await readFileId(path);
      opened ??= found;
      if (found !== null && found === opened) {
        standing.letGo(STORE_FILE_HOLD);
        return [];
      }
      const message =
        `The store file "${path}" was moved, deleted or replaced while it was in use: nobody else finds what this ` +
        "process writes. Put it back, or start the process anew with the one that is there.";
      standing.hold(STORE_FILE_HOLD, message);
      return [{ rule: "store-failing", subject: path, level: "red", message }];
    },
  };
}

/** Asks the store for something small, and says what it failed with, here or for somebody else in this process. */
export function makeStoreSurvey({
  store,
  standing,
}: Pick<MillContext, "store" | "standing">): Survey {
  return {
    name: "store",
    isShared: false,
    look: async () => {
      try {
        await store.listRuns({ limit: 1 });
      } catch (error) {
        return [sayFault(store.url, error)];
      }
      return standing.fault === null ? [] : [sayFault(store.url, standing.fault)];
    },
  };
}

function sayFault(url: string, error: unknown): Sighting {
  const isOurs = isMillraceError(error);
  const text = error instanceof Error ? error.message : String(error);
  const hint = isOurs && error.hint !== undefined ? ` ${error.hint}` : "";
  return {
    rule: "store-failing",
    subject: url,
    level: "red",
    message: `${text}${hint}`,
    next: (isOurs ? error.next : undefined) ?? "npx millrace doctor",
    // Busy for a moment is no fault.
    ...(isOurs && error.retryable ? { holdMs: 5_000 } : {}),
  };
}
