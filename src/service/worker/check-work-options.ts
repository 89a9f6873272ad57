// How the queues may be worked: numbers that cannot be meant are refused before anything is claimed.

import { WORKER_RUNS_DEFAULT } from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import { WORKER_RUNS_MAX } from "../../model/limits.ts";

/** The numbers of `WorkOptions`. */
interface Bounds {
  readonly concurrency?: number;
  readonly maxRuns?: number;
  readonly stopAfterMs?: number;
}

/** How many runs at once; OPTION_INVALID naming the option that is wrong. */
export function checkWorkOptions(options: Bounds): number {
  const room = checkRoom(options.concurrency ?? WORKER_RUNS_DEFAULT);
  checkBounds(options);
  return room;
}

function checkRoom(concurrency: number): number {
  if (Number.isSafeInteger(concurrency) && concurrency >= 1 && concurrency <= WORKER_RUNS_MAX)
    return concurrency;
  throw new MillraceError(
    "OPTION_INVALID",
    `concurrency: expected a whole number of runs from 1 to ${WORKER_RUNS_MAX}; got ${String(concurrency)}.`,
  );
}

function checkBounds({ maxRuns, stopAfterMs }: Bounds): void {
  if (maxRuns !== undefined && !(Number.isSafeInteger(maxRuns) && maxRuns >= 1)) {
    throw new MillraceError(
      "OPTION_INVALID",
      `maxRuns: expected a whole number of runs from 1 on; got ${String(maxRuns)}.`,
    );
  }
  if (stopAfterMs !== undefined && !(stopAfterMs >= 0)) {
    throw new MillraceError(
      "OPTION_INVALID",
      `stopAfterMs: expected milliseconds from 0 on; got ${String(stopAfterMs)}.`,
    );
  }
}
