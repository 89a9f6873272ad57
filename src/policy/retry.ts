// What follows a failed attempt: another one after a wait, or which end. Order: cancelled, fenced or deadline
// passed; permanent classes; the author's rules; `retryOn`; attempts left; then the wait, held against the
// deadline. Pure: the engine makes the move and keeps the counters.

import {
  CRASHES_MAX,
  DEFERRAL_MS_MAX,
  DEFERRALS_MAX,
  HINT_MS_MAX,
  HINT_PAUSE_MS_MAX,
  HINT_SPREAD_MS_MAX,
  REASON_CHARS_MAX,
} from "../model/limits.ts";
import type { ErrorClass } from "../model/outcome.ts";
import type { ParsedRule, RetryPolicy } from "../model/retry.ts";
import type { Random } from "../std/random.ts";
import { boundedText } from "../std/json.ts";
import { computeDelayMs } from "./backoff.ts";
import type { Classified } from "./classify/classify.ts";
import { EXECUTED_CLASSES, EXECUTED_CODES, STORE_CLASSES } from "./classify/error-table.ts";
import { messageOf } from "./failure.ts";
import { matchRules } from "./retry-rule.ts";

/** All that the decision depends on. */
export interface RetryQuestion {
  readonly policy: RetryPolicy;
  readonly classified: Classified;
  readonly error: unknown;
  /** Attempts made so far, the failed one included; deferrals given back. */
  readonly attempt: number;
  /** True: an earlier attempt ended by the same `bug` (equal fingerprint). Default false. */
  readonly sameBugBefore?: boolean;
  /** Deferrals of this stage or item so far. */
  readonly deferrals: number;
  /** Time spent in them, ms. */
  readonly deferredMs: number;
  /** Crashes of this stage or item so far, this one included. Default: deferrals + 1. */
  readonly crashes?: number;
  /** The wait before, ms; what `decorrelated` grows from. */
  readonly previousDelayMs?: number;
  /** True: the one repetition that a `once` failure allows has been made. */
  readonly onceUsed: boolean;
  /** True: exactly one attempt each, whatever the policy says. */
  readonly noRetry: boolean;
  /** False: what may have done its work is not repeated. Default true. */
  readonly idempotent?: boolean;
  readonly nowMs: number;
  /** When all attempts and waits must be over, on the same clock; null: never. */
  readonly deadlineAtMs: number | null;
  readonly random: Random;
}

/** Why no further attempt follows. */
export type RetryEnd =
  | "cancelled"
  | "fenced"
  | "permanent"
  | "rule"
  | "not-listed"
  | "attempts"
  | "deadline"
  | "deferral-exhausted"
  | "no-retry"
  | "once"
  | "ambiguous"
  | "poison";

/** What follows. */
export type RetryDecision = (
  | {
      readonly kind: "retry";
      /** Whole ms, 0 or more. */
      readonly delayMs: number;
      /** True: costs no attempt, but one deferral. */
      readonly deferral: boolean;
    }
  | {
      readonly kind: "fail";
      readonly because: RetryEnd;
      /** The class the failure gets instead of its own. */
      readonly classAs?: ErrorClass;
    }
  | { readonly kind: "skip"; readonly reason: string }
  | { readonly kind: "abort-run"; readonly reason: string }
) & {
  /** Rules that threw while they were asked, worth an event. Absent: none. */
  readonly ruleFaults?: number;
};

/** Decides what follows a failed attempt. */
export function decideRetry(question: RetryQuestion): RetryDecision {
  const { policy, classified, error, attempt } = question;
  const over = decideOver(question);
  if (over !== undefined) return over;
  const { rule, position, faults } = matchRules(policy.rules, { classified, error, attempt });
  const decision = decideByRule(rule, position, question) ?? decideByPolicy(rule, question);
  return faults === 0 ? decision : { ...decision, ruleFaults: faults };
}

/** Ends that no rule is asked about. */
function decideOver(question: RetryQuestion): RetryDecision | undefined {
  const { classified, nowMs, deadlineAtMs } = question;
  if (classified.class === "cancelled") return { kind: "fail", because: "cancelled" };
  if (classified.class === "fenced") return { kind: "fail", because: "fenced" };
  const isLate = deadlineAtMs !== null && nowMs >= deadlineAtMs;
  if (isLate || classified.class === "deadline") return lateFailure();
  return classified.class === "permanent" ? { kind: "fail", because: "permanent" } : undefined;
}

function lateFailure(): RetryDecision {
  return { kind: "fail", because: "deadline", classAs: "deadline" };
}

/** The verbs that end; `retry` and `retryAfter` only replace `retryOn`. */
function decideByRule(
  rule: ParsedRule | undefined,
  position: number,
  question: RetryQuestion,
): RetryDecision | undefined {
  if (rule === undefined || rule.verb === "retry") return undefined;
  if (rule.verb === "fail") return { kind: "fail", because: "rule" };
  const said = `retry rule ${position} matched: ${messageOf(question.error)}`;
  return { kind: rule.verb, reason: boundedText(said, REASON_CHARS_MAX) };
}

function decideByPolicy(rule: ParsedRule | undefined, question: RetryQuestion): RetryDecision {
  const { policy, classified, attempt } = question;
  if (classified.retry === "no") return { kind: "fail", because: "permanent" };
  if (classified.class === "crash") return decideCrash(rule, question);
  if (rule === undefined) {
    if (!isListed(policy, classified)) return { kind: "fail", because: "not-listed" };
    const isSpent = question.onceUsed || question.sameBugBefore === true;
    if (classified.retry === "once" && isSpent) return { kind: "fail", because: "once" };
  }
  if (question.noRetry) return { kind: "fail", because: "no-retry" };
  const deferral = isDeferral(classified);
  if (!deferral && attempt >= policy.attempts) return { kind: "fail", because: "attempts" };
  if (isAmbiguous(question)) return AMBIGUOUS;
  return decideWait(rule, question, deferral);
}

/** A crash costs a crash instead of an attempt: what takes its process along three times is poison. */
function decideCrash(rule: ParsedRule | undefined, question: RetryQuestion): RetryDecision {
  const crashes = question.crashes ?? question.deferrals + 1;
  if (crashes >= CRASHES_MAX) return { kind: "fail", because: "poison", classAs: "poison" };
  if (question.noRetry) return { kind: "fail", because: "no-retry" };
  if (isAmbiguous(question)) return AMBIGUOUS;
  return holdAgainstDeadline(question, plainWaitMs(rule, question, crashes), true);
}

const AMBIGUOUS: RetryDecision = { kind: "fail", because: "ambiguous", classAs: "ambiguous" };

/** Asked only where another attempt would follow: without one there is nothing to do twice. */
function isAmbiguous({ idempotent = true, classified }: RetryQuestion): boolean {
  if (idempotent) return false;
  const byCode = classified.class === "server" && EXECUTED_CODES.has(classified.code ?? "");
  return byCode || EXECUTED_CLASSES.has(classified.class);
}

function isListed({ retryOn }: RetryPolicy, classified: Classified): boolean {
  if (retryOn === null) return true;
  if (retryOn === "conservative") {
    return classified.class !== "unknown" && classified.asUnknown !== true;
  }
  // Faults of a database that stage code talks to are faults of a server.
  const asServer = STORE_CLASSES.has(classified.class) && retryOn.includes("server");
  return asServer || retryOn.includes(classified.class);
}

/** True where a stage or item was deferred so often, or would be so long in all, that it may not be once more. */
export function isAllowanceSpent(spent: {
  /** So far. */
  readonly deferrals: number;
  /** So far, ms. */
  readonly deferredMs: number;
  /** What would come to it, ms. */
  readonly waitMs: number;
}): boolean {
  return spent.deferrals >= DEFERRALS_MAX || spent.deferredMs + spent.waitMs > DEFERRAL_MS_MAX;
}

function isDeferral({ retry, hintMs = 0 }: Classified): boolean {
  return retry === "defer" || hintMs > HINT_PAUSE_MS_MAX;
}

function decideWait(
  rule: ParsedRule | undefined,
  question: RetryQuestion,
  deferral: boolean,
): RetryDecision {
  const { attempt, deferrals, deferredMs } = question;
  // Deferrals are no failures that count, but the wait must grow with them all the same.
  const failures = Math.max(1, attempt) + (deferral ? deferrals : 0);
  const plainMs = plainWaitMs(rule, question, failures);
  if (deferral && isAllowanceSpent({ deferrals, deferredMs, waitMs: plainMs }))
    return { kind: "fail", because: "deferral-exhausted", classAs: "deferral-exhausted" };
  return holdAgainstDeadline(question, plainMs, deferral);
}

/** The wait before the spread of a hint: never below the hint, and a hint is not cut by `maxDelay`. */
function plainWaitMs(
  rule: ParsedRule | undefined,
  { policy, classified, random, previousDelayMs }: RetryQuestion,
  failures: number,
): number {
  const options =
    previousDelayMs === undefined ? { random } : { random, previousMs: previousDelayMs };
  const computedMs =
    rule?.retryAfterMs ?? classified.delayMs ?? computeDelayMs(policy, failures, options);
  return Math.max(clampedHintMs(classified), computedMs);
}

function clampedHintMs({ hintMs = 0 }: Classified): number {
  return Math.min(hintMs, HINT_MS_MAX);
}

/** Adds the spread that keeps all who got the same hint from coming back together; fails when too late. */
function holdAgainstDeadline(
  question: RetryQuestion,
  plainMs: number,
  deferral: boolean,
): RetryDecision {
  const { classified, random, nowMs, deadlineAtMs } = question;
  const spreadMs = Math.min(clampedHintMs(classified) / 10, HINT_SPREAD_MS_MAX);
  const delayMs = Math.ceil(plainMs + random.float() * spreadMs);
  if (deadlineAtMs !== null && nowMs + delayMs >= deadlineAtMs) return lateFailure();
  return { kind: "retry", delayMs, deferral };
}
