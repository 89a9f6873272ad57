import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFERRAL_MS_MAX, DEFERRALS_MAX } from "../model/limits.ts";
import { ERROR_CLASSES, type ErrorClass } from "../model/outcome.ts";
import type { ParsedRule, RetryMatch, RetryPolicy } from "../model/retry.ts";
import { makeSeededRandom, type Random } from "../std/random.ts";
import { classifyError, decideClass, type Classified } from "./classify/classify.ts";
import { decideRetry, type RetryDecision, type RetryQuestion } from "./retry.ts";

const HOUR_MS = 3_600_000;

function policyOf(parts: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    attempts: 3,
    initialDelayMs: 1_000,
    factor: 2,
    delayMsMax: 60_000,
    jitter: "none",
    retryOn: null,
    rules: [],
    ...parts,
  };
}

function ruleOf(
  match: RetryMatch,
  verb: ParsedRule["verb"],
  retryAfterMs: number | null = null,
): ParsedRule {
  return { match, verb, retryAfterMs };
}

function diceOf(value: number): Random {
  return { float: () => value, bytes: (count) => new Uint8Array(count) };
}

function classifiedAs(errorClass: ErrorClass, parts: Partial<Classified> = {}): Classified {
  return { class: errorClass, retry: decideClass(errorClass), ...parts };
}

function ask(parts: Partial<RetryQuestion> = {}): RetryDecision {
  const error = parts.error ?? new Error("boom");
  return decideRetry({
    policy: policyOf(),
    classified: classifyError(error),
    attempt: 1,
    deferrals: 0,
    deferredMs: 0,
    onceUsed: false,
    noRetry: false,
    nowMs: 0,
    deadlineAtMs: null,
    random: diceOf(0),
    ...parts,
    error,
  });
}

test("R74: with two attempts, nothing waits after the second failure", () => {
  const policy = policyOf({ attempts: 2 });
  expect(ask({ policy, attempt: 1 })).toEqual({ kind: "retry", delayMs: 1_000, deferral: false });
  expect(ask({ policy, attempt: 2 })).toEqual({ kind: "fail", because: "attempts" });
});

test("waits grow with the attempts made; decorrelated ones with the wait before", () => {
  const waits = [1, 2].map((attempt) => ask({ attempt }));
  expect(waits).toMatchObject([{ delayMs: 1_000 }, { delayMs: 2_000 }]);
  const policy = policyOf({ jitter: "decorrelated" });
  const next = ask({ policy, previousDelayMs: 8_000, random: diceOf(0.5) });
  expect(next).toMatchObject({ delayMs: 12_500 });
});

test("R79: an unknown error is retried by default, not under conservative; a permanent class never", () => {
  expect(ask().kind).toBe("retry");
  const conservative = policyOf({ retryOn: "conservative" });
  expect(ask({ policy: conservative })).toEqual({ kind: "fail", because: "not-listed" });
  expect(ask({ policy: conservative, classified: classifiedAs("server") }).kind).toBe("retry");
  const all = policyOf({ retryOn: ERROR_CLASSES });
  const never = ERROR_CLASSES.filter((name) => decideClass(name) === "no");
  for (const name of never) {
    expect(ask({ policy: all, classified: classifiedAs(name) }).kind).toBe("fail");
  }
  const listed = policyOf({ retryOn: ["timeout"] });
  expect(ask({ policy: listed, classified: classifiedAs("timeout") }).kind).toBe("retry");
  expect(ask({ policy: listed, classified: classifiedAs("server") })).toMatchObject({
    because: "not-listed",
  });
});

test("an exit code that says nothing counts as unknown for conservative", () => {
  const policy = policyOf({ retryOn: "conservative" });
  expect(ask({ policy, error: { exitCode: 3 } })).toMatchObject({ because: "not-listed" });
  expect(ask({ policy, error: { exitCode: 75 } }).kind).toBe("retry");
});

test("a database's own faults are listed under server as well as by name", () => {
  const away = classifiedAs("db-away");
  expect(ask({ policy: policyOf({ retryOn: ["server"] }), classified: away }).kind).toBe("retry");
  expect(ask({ policy: policyOf({ retryOn: ["db-away"] }), classified: away }).kind).toBe("retry");
  expect(ask({ policy: policyOf({ retryOn: ["timeout"] }), classified: away }).kind).toBe("fail");
});

test("R80: a pattern is retried in the stage that names it, and not in another", () => {
  const error = new Error("Quota exceeded for today");
  const rules = [ruleOf({ message: "quota exceeded" }, "retry")];
  expect(ask({ error, policy: policyOf({ retryOn: [], rules }) }).kind).toBe("retry");
  expect(ask({ error, policy: policyOf({ retryOn: [] }) }).kind).toBe("fail");
});

test("R83: rules match message text in any case; what they do not match goes the ordinary way", () => {
  const rules = [ruleOf({ message: "TimeOut" }, "retry")];
  const policy = policyOf({ retryOn: [], rules });
  expect(ask({ policy, error: new Error("boom") })).toEqual({
    kind: "fail",
    because: "not-listed",
  });
  expect(ask({ policy, error: new Error("request TIMEOUT after 3 s") }).kind).toBe("retry");
  expect(ask({ policy: policyOf({ rules: [] }), error: new Error("boom") }).kind).toBe("retry");
});

test("the first rule that matches decides: retry, retry after a wait, fail, skip or end the run", () => {
  const rules = [
    ruleOf({ class: "auth" }, "abort-run"),
    ruleOf({ message: "no text" }, "skip"),
    ruleOf({ code: "E_QUOTA" }, "retry", 5_000),
    ruleOf({ code: "E_AGAIN" }, "retry"),
    ruleOf({}, "fail"),
  ];
  const policy = policyOf({ rules });
  expect(ask({ policy, error: Object.assign(new Error("who?"), { status: 401 }) })).toEqual({
    kind: "abort-run",
    reason: "retry rule 1 matched: who?",
  });
  expect(ask({ policy, error: new Error("page has no text") })).toEqual({
    kind: "skip",
    reason: "retry rule 2 matched: page has no text",
  });
  const quota = Object.assign(new Error("x"), { code: "E_QUOTA" });
  expect(ask({ policy, error: quota, attempt: 2 })).toMatchObject({
    kind: "retry",
    delayMs: 5_000,
  });
  const again = Object.assign(new Error("x"), { code: "E_AGAIN" });
  expect(ask({ policy, error: again, attempt: 2 })).toMatchObject({
    kind: "retry",
    delayMs: 2_000,
  });
  expect(ask({ policy })).toEqual({ kind: "fail", because: "rule" });
});

test("a reason is bounded", () => {
  const decision = ask({
    policy: policyOf({ rules: [ruleOf({}, "skip")] }),
    error: new Error("x".repeat(2_000)),
  });
  expect(decision.kind === "skip" && decision.reason.length).toBe(500);
});

test("every part of a match must hold", () => {
  const error = Object.assign(new Error("no space"), { exitCode: 75, code: "E_X" });
  const matches = (match: RetryMatch): boolean =>
    ask({ error, attempt: 2, policy: policyOf({ rules: [ruleOf(match, "fail")] }) }).kind ===
    "fail";
  expect(
    matches({ class: "subprocess", code: "exit 75", exitCode: 75, message: /space$/, attempt: 2 }),
  ).toBe(true);
  expect(matches({ code: "E_X" })).toBe(true);
  expect(matches({ class: "server" })).toBe(false);
  expect(matches({ code: "E_Y" })).toBe(false);
  expect(matches({ exitCode: 76 })).toBe(false);
  expect(matches({ attempt: 1 })).toBe(false);
  expect(matches({ message: "n. space" })).toBe(false);
  expect(matches({ message: /^space/ })).toBe(false);
  expect(matches({ class: "subprocess", message: "other" })).toBe(false);
});

test("a code is found under causes as well", () => {
  const error = new TypeError("fetch failed", {
    cause: Object.assign(new Error("x"), { code: 1_006 }),
  });
  expect(
    ask({ error, policy: policyOf({ rules: [ruleOf({ code: "1006" }, "fail")] }) }),
  ).toMatchObject({
    because: "rule",
  });
});

test("a global pattern matches every time it is asked", () => {
  const policy = policyOf({ rules: [ruleOf({ message: /boom/g }, "fail")] });
  expect([ask({ policy }), ask({ policy }), ask({ policy })].map(({ kind }) => kind)).toEqual([
    "fail",
    "fail",
    "fail",
  ]);
});

test("a rule that throws counts as no match, and is reported", () => {
  const broken = /x/;
  Object.defineProperty(broken, "exec", {
    value: () => {
      throw new Error("fault in the pattern");
    },
  });
  const rules = [ruleOf({ message: broken }, "fail"), ruleOf({ message: broken }, "skip")];
  expect(ask({ policy: policyOf({ rules }) })).toEqual({
    kind: "retry",
    delayMs: 1_000,
    deferral: false,
    ruleFaults: 2,
  });
});

test("no rule exceeds the attempts, the deadline or --no-retry, or repeats what is permanent", () => {
  const policy = policyOf({ rules: [ruleOf({}, "retry", 5_000)] });
  expect(ask({ policy, attempt: 3 })).toMatchObject({ because: "attempts" });
  expect(ask({ policy, deadlineAtMs: 5_000 })).toMatchObject({ because: "deadline" });
  expect(ask({ policy, noRetry: true })).toMatchObject({ because: "no-retry" });
  expect(ask({ policy, classified: classifiedAs("auth") })).toMatchObject({ because: "permanent" });
});

test("a permanent failure ends before any rule is asked", () => {
  const policy = policyOf({ rules: [ruleOf({}, "skip")] });
  expect(ask({ policy, classified: classifiedAs("permanent") })).toEqual({
    kind: "fail",
    because: "permanent",
  });
});

test("cancelled, fenced or late, an attempt ends without further questions", () => {
  const policy = policyOf({ rules: [ruleOf({}, "skip")] });
  const end = (parts: Partial<RetryQuestion>): RetryDecision => ask({ policy, ...parts });
  expect(end({ classified: classifiedAs("cancelled") })).toEqual({
    kind: "fail",
    because: "cancelled",
  });
  expect(end({ classified: classifiedAs("fenced") })).toEqual({ kind: "fail", because: "fenced" });
  const late = { kind: "fail", because: "deadline", classAs: "deadline" };
  expect(end({ classified: classifiedAs("deadline") })).toEqual(late);
  expect(end({ nowMs: 100, deadlineAtMs: 100 })).toEqual(late);
  expect(end({ nowMs: 99, deadlineAtMs: 100 }).kind).toBe("skip");
});

test("a wait that would reach the deadline fails now instead of later", () => {
  const late = { kind: "fail", because: "deadline", classAs: "deadline" };
  expect(ask({ nowMs: 500, deadlineAtMs: 1_500 })).toEqual(late);
  expect(ask({ nowMs: 500, deadlineAtMs: 1_501 })).toMatchObject({ kind: "retry", delayMs: 1_000 });
});

test("what is worth one repetition is repeated once, unless a rule says more", () => {
  const bug = classifiedAs("bug");
  expect(ask({ classified: bug }).kind).toBe("retry");
  expect(ask({ classified: bug, onceUsed: true })).toEqual({ kind: "fail", because: "once" });
  expect(ask({ classified: bug, sameBugBefore: true })).toEqual({ kind: "fail", because: "once" });
  const policy = policyOf({ rules: [ruleOf({ class: "bug" }, "retry")] });
  expect(ask({ policy, classified: bug, onceUsed: true }).kind).toBe("retry");
  expect(ask({ onceUsed: true, sameBugBefore: true }).kind).toBe("retry");
});

test("a missing name waits its two seconds, whatever the policy computes", () => {
  const error = Object.assign(new Error("x"), { code: "ENOTFOUND" });
  expect(ask({ error, policy: policyOf({ initialDelayMs: 60_000 }) })).toMatchObject({
    delayMs: 2_000,
  });
});

test("--no-retry allows one attempt, and no deferral either", () => {
  expect(ask({ noRetry: true })).toEqual({ kind: "fail", because: "no-retry" });
  expect(ask({ noRetry: true, classified: classifiedAs("throttled") })).toMatchObject({
    because: "no-retry",
  });
  expect(ask({ noRetry: true, classified: classifiedAs("crash") })).toMatchObject({
    because: "no-retry",
  });
});

test("throttled, an attempt is deferred: it costs none, and waits grow with the deferrals", () => {
  const throttled = (parts: Partial<RetryQuestion>): RetryDecision =>
    ask({ classified: classifiedAs("throttled"), policy: policyOf({ attempts: 1 }), ...parts });
  expect(throttled({})).toEqual({ kind: "retry", delayMs: 1_000, deferral: true });
  expect(throttled({ attempt: 0, deferrals: 2 })).toMatchObject({ delayMs: 4_000 });
});

test("deferrals end after fifty, or after 24 hours", () => {
  const throttled = (parts: Partial<RetryQuestion>): string => {
    const decision = ask({ classified: classifiedAs("throttled"), ...parts });
    return decision.kind === "fail" ? decision.because : decision.kind;
  };
  expect(throttled({ deferrals: DEFERRALS_MAX - 1 })).toBe("retry");
  expect(throttled({ deferrals: DEFERRALS_MAX })).toBe("deferral-exhausted");
  expect(throttled({ deferredMs: DEFERRAL_MS_MAX - 1_000 })).toBe("retry");
  expect(throttled({ deferredMs: DEFERRAL_MS_MAX - 999 })).toBe("deferral-exhausted");
  expect(throttled({ classified: classifiedAs("server"), deferrals: 50, attempt: 1 })).toBe(
    "retry",
  );
});

test("a hint is waited for in full, plus a tenth or five seconds at most, whatever maxDelay says", () => {
  const hinted = (hintMs: number, dice: number): RetryDecision =>
    ask({
      classified: classifiedAs("server", { hintMs }),
      random: diceOf(dice),
      policy: policyOf({ delayMsMax: 2_000 }),
    });
  expect(hinted(20_000, 0)).toMatchObject({ delayMs: 20_000, deferral: false });
  expect(hinted(20_000, 0.5)).toMatchObject({ delayMs: 21_000 });
  expect(hinted(600_000, 1 - 2 ** -53)).toMatchObject({ delayMs: 605_000 });
  expect(hinted(10, 0)).toMatchObject({ delayMs: 1_000 });
  expect(hinted(0, 0.5)).toMatchObject({ delayMs: 1_000 });
});

test("a hint of more than 15 minutes defers, and none is followed for more than 24 hours", () => {
  const hinted = (hintMs: number, deferredMs = 0): RetryDecision =>
    ask({ classified: classifiedAs("server", { hintMs }), deferredMs, attempt: 3 });
  expect(hinted(15 * 60_000)).toMatchObject({ because: "attempts" });
  expect(hinted(15 * 60_000 + 1)).toMatchObject({ kind: "retry", deferral: true });
  expect(hinted(100 * HOUR_MS)).toMatchObject({ kind: "retry", delayMs: 24 * HOUR_MS });
  expect(hinted(100 * HOUR_MS, 1)).toMatchObject({ because: "deferral-exhausted" });
});

test("a crash costs no attempt, and the third makes poison", () => {
  const crash = (parts: Partial<RetryQuestion>): RetryDecision =>
    ask({ classified: classifiedAs("crash"), policy: policyOf({ attempts: 1 }), ...parts });
  expect(crash({ crashes: 1 })).toEqual({ kind: "retry", delayMs: 1_000, deferral: true });
  expect(crash({ crashes: 2 })).toMatchObject({ delayMs: 2_000 });
  expect(crash({ crashes: 3 })).toEqual({ kind: "fail", because: "poison", classAs: "poison" });
  expect(crash({ deferrals: 1 }).kind).toBe("retry");
  expect(crash({ deferrals: 2 })).toMatchObject({ because: "poison" });
  const policy = policyOf({ rules: [ruleOf({ class: "crash" }, "retry", 7_000)] });
  expect(crash({ policy, crashes: 2 })).toMatchObject({ delayMs: 7_000 });
  expect(crash({ policy, crashes: 3 })).toMatchObject({ because: "poison" });
  expect(crash({ crashes: 1, deadlineAtMs: 1_000 })).toMatchObject({ because: "deadline" });
});

test("a stage that is not idempotent is not repeated where it may have done its work", () => {
  const once = (parts: Partial<RetryQuestion>): RetryDecision =>
    ask({ idempotent: false, ...parts });
  const ambiguous = { kind: "fail", because: "ambiguous", classAs: "ambiguous" };
  const executed = ERROR_CLASSES.filter(
    (name) => once({ classified: classifiedAs(name) }).kind !== "retry",
  ).filter((name) => decideClass(name) !== "no");
  expect(executed.join(" ")).toBe("broken timeout no-verdict subprocess crash bug unknown");
  expect(once({ classified: classifiedAs("timeout") })).toEqual(ambiguous);
  expect(once({ classified: classifiedAs("crash") })).toEqual(ambiguous);
  expect(once({ error: { status: 500 } })).toEqual(ambiguous);
  expect(once({ error: { status: 502 } })).toEqual(ambiguous);
  expect(once({ error: { status: 503 } }).kind).toBe("retry");
  const policy = policyOf({ rules: [ruleOf({}, "retry")] });
  expect(once({ policy, classified: classifiedAs("timeout") })).toEqual(ambiguous);
  expect(once({ attempt: 3 })).toEqual({ kind: "fail", because: "attempts" });
});

test("any question gets an answer that keeps every promise at once", () => {
  const question = fc.record({
    errorClass: fc.constantFrom(...ERROR_CLASSES),
    hintMs: fc.option(fc.nat(30 * HOUR_MS), { nil: undefined }),
    attempt: fc.integer({ min: 1, max: 6 }),
    attempts: fc.integer({ min: 1, max: 5 }),
    deferrals: fc.nat(60),
    deferredMs: fc.nat(25 * HOUR_MS),
    leftMs: fc.option(fc.nat(30 * HOUR_MS)),
    noRetry: fc.boolean(),
    onceUsed: fc.boolean(),
    verb: fc.option(fc.constantFrom<ParsedRule["verb"]>("retry", "fail", "skip", "abort-run")),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(question, ({ errorClass, hintMs, leftMs, attempts, verb, seed, ...rest }) => {
      const rules = verb === null ? [] : [ruleOf({}, verb)];
      const decision = ask({
        ...rest,
        classified: classifiedAs(errorClass, hintMs === undefined ? {} : { hintMs }),
        policy: policyOf({ attempts, rules, jitter: "full" }),
        nowMs: 1_000,
        deadlineAtMs: leftMs === null ? null : 1_000 + leftMs,
        random: makeSeededRandom(seed),
      });
      if (decision.kind !== "retry") return;
      expect(decideClass(errorClass)).not.toBe("no");
      expect(rest.noRetry).toBe(false);
      expect(verb === null || verb === "retry").toBe(true);
      expect(Number.isSafeInteger(decision.delayMs)).toBe(true);
      expect(decision.delayMs).toBeGreaterThanOrEqual(Math.min(hintMs ?? 0, 24 * HOUR_MS));
      expect(decision.delayMs).toBeLessThan(leftMs ?? Infinity);
      expect(decision.deferral || rest.attempt < attempts).toBe(true);
      expect(rest.deferrals < DEFERRALS_MAX || !decision.deferral).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
