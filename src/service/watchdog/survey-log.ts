// Looks at the write-ahead log of the store. A long one is brought into its file; where that cannot be done, a reader
// that does not end holds it, and that is said.

import type { Survey } from "../../engine/upkeep/watchdog.ts";
import { LOG_BYTES_WARN } from "../../model/limits.ts";
import { judgeLog } from "../../policy/watchdog/judge-process.ts";

/** What it asks. */
export interface LogSurveyParts {
  /** Of the store; null: it has no file. */
  readonly path: string | null;
  readonly readFileBytes: (path: string) => Promise<number>;
  /** Brings the log into the file as far as that can be done; answers whether a reader holds some of it. */
  readonly checkpoint: () => Promise<{ readonly isHeld: boolean }>;
}

/** Looks at the log. */
export function makeLogSurvey({ path, readFileBytes, checkpoint }: LogSurveyParts): Survey {
  return {
    name: "log",
    isShared: true,
    look: async () => {
      if (path === null) return [];
      const bytes = await readFileBytes(`${path}-wal`);
      if (bytes < LOG_BYTES_WARN) return [];
      const { isHeld } = await checkpoint();
      const sighting = judgeLog(await readFileBytes(`${path}-wal`), isHeld, path);
      return sighting === undefined ? [] : [sighting];
    },
  };
}
