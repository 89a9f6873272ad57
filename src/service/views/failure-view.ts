// Failures as documents show them, and failures of one kind as one line with a count. Text is cut in lists;
// only what shows a single attempt has it whole.

import { ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import type { ErrorClass, Failure } from "../../model/outcome.ts";
import { boundedText } from "../../std/json.ts";

/** One kind of failure of a run, or a single failure with `count` 1. */
export interface FailureView {
  readonly code?: string;
  readonly class: ErrorClass;
  /** At most 500 characters. */
  readonly message: string;
  readonly fingerprint: string;
  /** Where it happened. Of a stage that failed because of another one: that other one. */
  readonly stage?: string;
  /** Key of the first item that failed so. */
  readonly item?: string;
  readonly attempts: number;
  readonly count: number;
}

/** Where a failure happened. */
export interface FailurePlace {
  readonly stage?: string | undefined;
  readonly item?: string | undefined;
}

/** The view of one failure. */
export function toFailureView(failure: Failure, place: FailurePlace = {}): FailureView {
  const stage = place.stage ?? failure.stage;
  const item = place.item ?? failure.item?.key;
  return {
    ...(failure.code === undefined ? {} : { code: failure.code }),
    class: failure.class,
    message: boundedText(failure.message, ERROR_LIST_CHARS_MAX),
    fingerprint: failure.fingerprint,
    ...(stage === undefined ? {} : { stage }),
    ...(item === undefined ? {} : { item }),
    attempts: failure.attempts,
    count: 1,
  };
}

/** Equal failures of one stage as one, the most frequent first; each keeps its first item. */
export function groupFailures(failures: readonly FailureView[]): readonly FailureView[] {
  const groups = new Map<string, FailureView>();
  for (const failure of failures) {
    const key = `${failure.stage ?? ""}\n${failure.fingerprint}`;
    const known = groups.get(key);
    groups.set(
      key,
      known === undefined ? failure : { ...known, count: known.count + failure.count },
    );
  }
  return [...groups.values()].toSorted((left, right) => right.count - left.count);
}
