// Permits of one run: which resources an attempt uses, who of the run waits at the gate, and what becomes of them when
// the run or a stage of it ends.

import type { AuthorFunction } from "../../model/definition.ts";
import { AbortReason } from "../../model/context.ts";
import { nameResource } from "../../model/compile/resource-name.ts";
import { parseUseList } from "../../model/compile/parse-uses.ts";
import { MillraceError } from "../../model/errors.ts";
import { DEFERRAL_MS_MAX, DEFERRALS_MAX, PARKED_KEYS_MAX } from "../../model/limits.ts";
import type { ErrorClass } from "../../model/outcome.ts";
import type { ResourceUse, UseList } from "../../model/resource/resource.ts";
import { isAllowanceSpent } from "../../policy/retry.ts";
import type { ParkedFor } from "../../storage/permits/parked-runs.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { RawOutcome } from "../attempt/attempt-runner.ts";
import type { RunCore } from "../run-core.ts";
import type { StageRun } from "../stage-run.ts";
import { countWait } from "./count-wait.ts";
import type {
  BoundUse,
  Entered,
  Hindrance,
  PermitRequest,
  PermitSource,
} from "./permit-request.ts";
import type { Asker, Visit } from "./visit.ts";

/** Told that the turn of an attempt that waits may have come: it is to be admitted again. */
export type CalledListener = (attempt: Attempt) => void;

/** What becomes of an attempt at the gate. */
export type Admitted =
  | { readonly kind: "granted" }
  | { readonly kind: "waiting"; readonly hindrance: Hindrance }
  | { readonly kind: "refused"; readonly error: unknown; readonly class: ErrorClass };

/** It may not go on. */
type Refused = Extract<Admitted, { kind: "refused" }>;

/** A wait that is worth giving a place back for. */
export interface LongWait {
  readonly leftMs: number;
  readonly reason: Hindrance["kind"];
  /** Keys in which there has to be room. */
  readonly waitsFor: readonly ParkedFor[];
}

/** When a run that waits for a permit of others looks for it again by itself, should nobody have told it, ms. */
const LOOK_AGAIN_MS = 600_000;
/** The same where it waits for more keys than can tell it, ms. */
const LOOK_OFTEN_MS = 60_000;

/** Admits the attempts of one run. */
export class Admissions {
  readonly #core: RunCore;
  readonly #called: CalledListener;
  readonly #waiting: Set<Attempt> = new Set();
  /** Of stages that name their resources in a list, by position. */
  readonly #lists: Map<number, readonly BoundUse[]> = new Map();
  #source: PermitSource | null = null;

  constructor(core: RunCore, called: CalledListener) {
    this.#core = core;
    this.#called = called;
  }

  /** Attempts that wait at the gate. */
  get waiting(): ReadonlySet<Attempt> {
    return this.#waiting;
  }

  /** Asks for what an attempt uses. Throws what its `uses` throws; rejects with LEASE_LOST. */
  admit(attempt: Attempt, needs: unknown): Admitted | Promise<Admitted> {
    const { gate } = this.#core.world.limits;
    const at = attempt.makeGate();
    const visit = (at.visit ??= gate.visit(this.#askerOf(attempt, needs)));
    this.#waiting.delete(attempt);
    const entered = gate.enter(visit);
    if (!(entered instanceof Promise)) return this.#answer(attempt, visit, entered);
    return entered.then((answer) => this.#answer(attempt, visit, answer));
  }

  /** Why an attempt waits, and how many are ahead of it; null: it does not. */
  explain(attempt: Attempt): { readonly hindrance: Hindrance; readonly ahead: number } | null {
    const visit = attempt.atGate?.visit ?? null;
    return visit === null ? null : this.#core.world.limits.gate.explain(visit);
  }

  /** An attempt waits no more: it was ended, or its run was. */
  leave(attempt: Attempt): void {
    this.#waiting.delete(attempt);
    const at = attempt.atGate;
    if (at === null || at.visit === null) return;
    if (at.waits !== null) countWait(this.#core, attempt, at.waits);
    at.waits = null;
    this.#core.world.limits.gate.leave(at.visit);
    at.visit = null;
  }

  /** An attempt is over and its end is on its way to the store: what it held goes with it. False: it held nothing. */
  giveBack(attempt: Attempt, outcome: RawOutcome): boolean {
    const at = attempt.atGate;
    if (at === null || at.permit === null) return false;
    const { permit, failed } = at;
    at.permit = null;
    if (outcome.kind === "failed" && failed !== null) permit.release(failed);
    else permit.release({ kind: outcome.kind === "aborted" ? "cancelled" : "succeeded" });
    return true;
  }

  /**
   * For what the attempts at the gate wait, and for how long at least, where that is longer than a moment for all of
   * them. `short`: one of them may be let in before. Null: nobody waits. `hurried`: a wait of which nobody knows the
   * end counts as long from its beginning.
   */
  findLongWait(longerThanMs: number, isHurried: boolean): LongWait | "short" | null {
    const nowMs = this.#core.world.clock.monotonicMs();
    let first: { readonly leftMs: number; readonly reason: Hindrance["kind"] } | null = null;
    const keys = new Map<string, ParkedFor>();
    for (const attempt of this.#waiting) {
      const waits = attempt.atGate?.waits ?? null;
      if (waits === null) return "short";
      const present = this.explain(attempt)?.hindrance ?? null;
      // Its line is being let in, as far as anybody knows.
      if (isHurried && present === null) return "short";
      const hindrance = present ?? waits.hindrance;
      const { kind, untilMs } = hindrance;
      // Nobody knows when a permit is given back: one who has waited so long may wait as long again elsewhere.
      const isLong =
        untilMs === null
          ? isHurried || nowMs - waits.sinceMs >= longerThanMs
          : untilMs - nowMs > longerThanMs;
      if (!isLong) return "short";
      const leftMs = untilMs === null ? LOOK_AGAIN_MS : untilMs - nowMs;
      if (first === null || leftMs < first.leftMs) first = { leftMs, reason: kind };
      noteKey(keys, hindrance);
    }
    if (first === null) return null;
    const isEvery = keys.size <= PARKED_KEYS_MAX;
    const leftMs = isEvery ? first.leftMs : Math.min(first.leftMs, LOOK_OFTEN_MS);
    return { ...first, leftMs, waitsFor: [...keys.values()].slice(0, PARKED_KEYS_MAX) };
  }

  /** Nothing of a stage waits any more. */
  leaveStage(stageRun: StageRun): void {
    for (const attempt of this.#waiting) if (attempt.stageRun === stageRun) this.leave(attempt);
  }

  /** Nothing of the run waits any more. */
  leaveAll(): void {
    for (const attempt of this.#waiting) this.leave(attempt);
  }

  #answer(attempt: Attempt, visit: Visit, entered: Entered): Admitted {
    const at = attempt.makeGate();
    const nowMs = this.#core.world.clock.monotonicMs();
    if (at.waits !== null) {
      countWait(this.#core, attempt, at.waits);
      at.waits = null;
    }
    if (entered.kind === "granted") {
      at.visit = null;
      at.permit = entered.permit;
      return { kind: "granted" };
    }
    if (entered.kind === "refused") {
      at.visit = null;
      return this.toRefusal(attempt, entered);
    }
    const vain = this.findVain(attempt, entered.hindrance);
    if (vain !== null) {
      this.leave(attempt);
      return vain;
    }
    if (!visit.isOver) this.#waiting.add(attempt);
    at.waits = { hindrance: entered.hindrance, sinceMs: nowMs };
    return { kind: "waiting", hindrance: entered.hindrance };
  }

  /** Why it would wait in vain, so that it fails now: its deadline comes first, or breakers have deferred it as often
   *  or as long as anything may be; null: it may wait. */
  findVain(attempt: Attempt, hindrance: Hindrance): Refused | null {
    return this.#findLate(attempt, hindrance) ?? this.#defer(attempt, hindrance);
  }

  /** A breaker that is open defers: once for each time that it names. */
  #defer(attempt: Attempt, { kind, untilMs, label, key }: Hindrance): Refused | null {
    if (kind !== "breaker" || untilMs === null) return null;
    const nowMs = this.#core.world.clock.monotonicMs();
    const at = attempt.makeGate();
    const { history } = attempt;
    const deferrals = history?.deferrals ?? at.deferrals;
    const deferredMs = (history?.deferredMs ?? 0) + waitedAtBreakers(attempt);
    const isNew = nowMs >= at.deferredUntilMs;
    at.deferredUntilMs = untilMs;
    // To go on with the same deferral costs time alone.
    const before = isNew ? deferrals : deferrals - 1;
    if (isAllowanceSpent({ deferrals: before, deferredMs, waitMs: untilMs - nowMs }))
      return toExhausted(attempt, nameResource({ resource: label, key }), {
        deferrals,
        deferredMs,
      });
    if (isNew && history === null) at.deferrals += 1;
    else if (isNew && history !== null) history.deferrals += 1;
    return null;
  }

  #findLate(attempt: Attempt, hindrance: Hindrance): Refused | null {
    const { stageRun, readyMs, stage, atGate } = attempt;
    if (hindrance.untilMs === null) return null;
    const ofStage = stageRun.definition.deadlineMs;
    const deadlineAtMs = Math.min(
      ofStage === null ? Infinity : readyMs + ofStage,
      this.#core.deadlineAtMs ?? Infinity,
    );
    if (hindrance.untilMs < deadlineAtMs) return null;
    const what = atGate?.isInBlock === true ? `a block of "${stage}"` : `"${stage}"`;
    const text = `${what} cannot start before its deadline: ${describe(hindrance)}`;
    return { kind: "refused", error: new AbortReason("deadline", text), class: "deadline" };
  }

  /** Why it is not let in, as an error. */
  toRefusal(
    { stage }: Attempt,
    { hindrance, waitMs }: Extract<Entered, { kind: "refused" }>,
  ): Refused {
    const name = nameResource({ resource: hindrance.label, key: hindrance.key });
    const until = waitMs === null ? "" : ` for another ${formatDuration(waitMs)}`;
    if (hindrance.kind === "breaker") {
      const state = hindrance.isProbing ? "half_open, and its probe is running" : `open${until}`;
      const error = new MillraceError(
        "BREAKER_OPEN",
        `"${stage}" was not let in: the breaker of resource "${name}" is ${state}.`,
        { hint: 'it fails at once because of whenOpen: "fail"; with "wait" it would wait' },
      );
      return { kind: "refused", error, class: "breaker-open" };
    }
    const error = new MillraceError(
      "QUOTA_EXCEEDED",
      `"${stage}" was not let in: a quota of resource "${name}" would let it wait ${formatDuration(waitMs ?? 0)}, longer than its maxWait.`,
      { hint: "raise maxWait, or lower the rate of what uses it" },
    );
    return { kind: "refused", error, class: "timeout" };
  }

  #askerOf(attempt: Attempt, needs: unknown): Asker {
    const request = this.#requestOf(attempt, this.#usesOf(attempt, needs));
    return { request, wake: () => this.#called(attempt) };
  }

  /** What a block of an attempt asks for. Throws what is wrong with it. */
  toBlockRequest(
    attempt: Attempt,
    uses: ResourceUse | string | UseList,
    slot: number,
  ): PermitRequest {
    const request = this.#requestOf(attempt, this.#bind(attempt.stage, uses));
    return { ...request, address: { ...request.address, slot } };
  }

  #requestOf(attempt: Attempt, uses: readonly BoundUse[]): PermitRequest {
    const { world, runId, journal, priority } = this.#core;
    const source = (this.#source ??= world.limits.open({
      runId,
      journal,
      tell: (draft) => this.#core.tell(draft),
    }));
    return {
      address: { stage: attempt.stage, item: attempt.item?.key ?? null, slot: 0 },
      uses,
      source,
      priority,
      timeoutMs: attempt.stageRun.definition.timeoutMs,
      isRetry: attempt.attempt > 1,
      whenOpen: world.limits.whenOpen,
    };
  }

  #usesOf({ stageRun, index, stage }: Attempt, needs: unknown): readonly BoundUse[] {
    const { uses } = stageRun.definition;
    if (typeof uses === "function") {
      const make: AuthorFunction = uses;
      const given: unknown = index < 0 ? make(needs) : make(stageRun.map?.items[index], needs);
      return this.#bind(stage, given);
    }
    let bound = this.#lists.get(stageRun.index);
    if (bound === undefined) {
      bound = this.#bind(stage, uses);
      this.#lists.set(stageRun.index, bound);
    }
    return bound;
  }

  #bind(stage: string, given: unknown): readonly BoundUse[] {
    const faults: string[] = [];
    const list: readonly unknown[] = Array.isArray(given) ? given : [given];
    const uses = parseUseList(list, (message) => faults.push(message));
    if (faults.length === 0) return uses.map((use) => this.#core.world.limits.bind(use));
    throw new MillraceError("USE_INVALID", `The uses of "${stage}": ${faults.join("; ")}.`, {
      hint: "give a list of resources, such as [api, host.for(url)]",
    });
  }
}

/** How long a stage or item has waited for breakers, over all its attempts, ms. */
function waitedAtBreakers({ stageRun, index }: Attempt): number {
  const tally = index < 0 ? stageRun.tally : stageRun.map?.tallies.get(index);
  let sumMs = 0;
  for (const [cause, ms] of Object.entries(tally?.sums ?? {}))
    if (cause.startsWith("breaker:")) sumMs += ms;
  return sumMs;
}

function toExhausted(
  { stage, item }: Attempt,
  resource: string,
  { deferrals, deferredMs }: { readonly deferrals: number; readonly deferredMs: number },
): Refused {
  const name = item === undefined ? `"${stage}"` : `Item "${item.key}" of "${stage}"`;
  const times = deferrals === 1 ? "once" : `${deferrals} times`;
  const error = new DeferralExhausted(
    `${name} waits no longer for the breaker of resource "${resource}": it was deferred ${times}, ${formatDuration(Math.round(deferredMs))} in all, and nothing is for more than ${DEFERRALS_MAX} times or ${formatDuration(DEFERRAL_MS_MAX)}.`,
  );
  return { kind: "refused", error, class: "deferral-exhausted" };
}

/** Says its class itself: a block throws it through code that may pass it on. */
class DeferralExhausted extends MillraceError {
  readonly millraceClass = "deferral-exhausted" as const;
  constructor(message: string) {
    super("BREAKER_OPEN", message, { hint: "see why the resource fails, then retry what failed" });
  }
}

/** A retry budget is its process's own: nobody elsewhere can make room in it. */
function noteKey(
  keys: Map<string, ParkedFor>,
  { kind, resource, key: ofKey, untilMs }: Hindrance,
): void {
  if (kind === "budget") return;
  const key = ofKey ?? "";
  const name = `${resource}/${key}`;
  const isTimed = untilMs !== null && keys.get(name)?.isTimed !== false;
  keys.set(name, { resource, key, isTimed });
}

/** What stands in the way, for a sentence. */
function describe({ kind, label, key, isPause }: Hindrance): string {
  const name = nameResource({ resource: label, key });
  if (isPause) return `resource "${name}" was asked to pause`;
  return kind === "breaker"
    ? `the breaker of resource "${name}" is open`
    : `resource "${name}" has no ${kind === "budget" ? "retry budget" : kind} left`;
}
