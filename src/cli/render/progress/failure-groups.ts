// Equal failures, counted instead of repeated. Failures are equal when their stage and fingerprint are; the
// engine makes fingerprints so that ids and numbers in a message do not tell two of a kind apart.

/** One kind of failure of one stage. */
export interface FailureGroup {
  readonly stage: string;
  readonly fingerprint: string;
  readonly class: string;
  readonly message: string;
  readonly code: string | undefined;
  /** Key of the first item that failed so; undefined: the stage itself. */
  readonly firstItem: string | undefined;
  /** Attempts that the first one made. */
  readonly attempts: number;
  readonly firstAtMs: number;
  count: number;
}

/** A failure as an event tells it. */
export type NewFailure = Omit<FailureGroup, "count">;

/** Kinds kept apart; failures of further kinds are counted together. */
export const FAILURE_GROUPS_MAX = 200;

/** Groups of failures in the order in which their first one came. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();
  #total = 0;
  #ungrouped = 0;

  /** Failures in all. */
  get total(): number {
    return this.#total;
  }

  /** Failures of kinds beyond FAILURE_GROUPS_MAX. */
  get ungrouped(): number {
    return this.#ungrouped;
  }

  get kinds(): number {
    return this.#groups.size;
  }

  /** Counts a failure; `newFailure` is its group where it is the first of it. */
  add(failure: NewFailure): { readonly isFailure: true; readonly newFailure?: FailureGroup } {
    this.#total += 1;
    const key = `${failure.stage}\0${failure.fingerprint}`;
    const known = this.#groups.get(key);
    if (known !== undefined) {
      known.count += 1;
      return { isFailure: true };
    }
    if (this.#groups.size >= FAILURE_GROUPS_MAX) {
      this.#ungrouped += 1;
      return { isFailure: true };
    }
    const group: FailureGroup = { ...failure, count: 1 };
    this.#groups.set(key, group);
    return { isFailure: true, newFailure: group };
  }

  /** In order of their first failure. */
  list(): readonly FailureGroup[] {
    return [...this.#groups.values()];
  }

  /** The most frequent first, then the earliest. */
  byCount(): readonly FailureGroup[] {
    return this.list().toSorted((left, right) => right.count - left.count);
  }
}
