// The attempts of a stage or item: those that did not succeed from the retry history, the last one from the
// row itself, with its whole message.

import type { ItemRecord, RetryRecord, StageRecord } from "../../model/checkpoint.ts";
import type { Store } from "../../storage/store.ts";
import { toIso, toWholeMs } from "../views/time-view.ts";

/** One attempt. */
export interface AttemptView {
  /** From 1. */
  readonly n: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Of an attempt that failed. */
  readonly class?: string;
  /** At most 200 characters; of the last attempt at most 16 KiB. */
  readonly message?: string;
  /** Wait before the next attempt. */
  readonly delayMs?: number;
}

/** What the last attempt is read from. */
export type AttemptSource = Pick<
  StageRecord | ItemRecord,
  "attempts" | "state" | "failure" | "startedAtMs" | "endedAtMs"
>;

/** Reads the attempts, oldest first; older ones than the history keeps are missing. */
export async function listAttempts(
  store: Store,
  at: { readonly runId: string; readonly stage: string; readonly item: string | null },
  source: AttemptSource | undefined,
): Promise<readonly AttemptView[]> {
  return arrangeAttempts(await store.listRetries(at.runId, at.stage, at.item), source);
}

/** The attempts that a retry history and a row tell of, oldest first. */
export function arrangeAttempts(
  history: readonly RetryRecord[],
  source: AttemptSource | undefined,
): readonly AttemptView[] {
  const attempts = source?.attempts ?? 0;
  const earlier = history.map(toAttempt);
  if (source === undefined || attempts === 0) return earlier;
  const last = history.findLast((record) => record.attempt === attempts);
  const rest = earlier.filter((_attempt, index) => history[index] !== last);
  if (source.state === "waiting")
    return last === undefined ? rest : [...rest, withWholeText(last, source)];
  return [...rest, last === undefined ? toLast(source) : withWholeText(last, source)];
}

function toAttempt(record: RetryRecord): AttemptView {
  return {
    n: record.attempt,
    startedAt: toIso(record.startedAtMs),
    endedAt: toIso(record.endedAtMs),
    class: record.class,
    message: record.message,
    ...(record.delayMs === null ? {} : { delayMs: toWholeMs(record.delayMs) }),
  };
}

function withWholeText(record: RetryRecord, source: AttemptSource): AttemptView {
  const failure = source.failure;
  return {
    ...toAttempt(record),
    ...(failure === null ? {} : { class: failure.class, message: failure.message }),
  };
}

/** An attempt that only the row tells of: its start is known if it was the first. */
function toLast(source: AttemptSource): AttemptView {
  const { attempts, failure, startedAtMs, endedAtMs } = source;
  return {
    n: attempts,
    ...(startedAtMs === null || attempts > 1 ? {} : { startedAt: toIso(startedAtMs) }),
    ...(endedAtMs === null ? {} : { endedAt: toIso(endedAtMs) }),
    ...(failure === null ? {} : { class: failure.class, message: failure.message }),
  };
}
