// From what an author says about retries to the policy the engine decides by. Layers: the stage's own options
// over the pipeline's defaults over the house's.

import { parseDuration } from "../../std/duration.ts";
import {
  RETRY_ATTEMPTS_DEFAULT,
  RETRY_DELAY_MS_MAX_DEFAULT,
  RETRY_FACTOR_DEFAULT,
  RETRY_INITIAL_DELAY_MS_DEFAULT,
} from "../defaults.ts";
import { ATTEMPTS_MAX, DURATION_MS_MAX, RETRY_RULES_MAX } from "../limits.ts";
import { describeValue, isPlainRecord, type OptionReader } from "./option-reader.ts";
import { ERROR_CLASSES, type ErrorClass } from "../outcome.ts";
import type { Jitter, ParsedRule, RetryMatch, RetryPolicy } from "../retry.ts";

/** The house's own policy: one attempt. */
export const RETRY_POLICY_DEFAULT: RetryPolicy = Object.freeze({
  attempts: RETRY_ATTEMPTS_DEFAULT,
  initialDelayMs: RETRY_INITIAL_DELAY_MS_DEFAULT,
  factor: RETRY_FACTOR_DEFAULT,
  delayMsMax: RETRY_DELAY_MS_MAX_DEFAULT,
  jitter: "full",
  retryOn: null,
  rules: [],
});

const RETRY_KEYS = [
  "attempts",
  "initialDelay",
  "factor",
  "maxDelay",
  "jitter",
  "retryOn",
  "rules",
] as const;

/** Reads the option `retry` of `reader` over `base`. */
export function parseRetry(reader: OptionReader, base: RetryPolicy): RetryPolicy {
  const raw = reader.raw("retry");
  if (raw === undefined) return base;
  if (typeof raw === "number") {
    const attempts = reader.number("retry", { min: 1, max: ATTEMPTS_MAX });
    return attempts === undefined ? base : { ...base, attempts };
  }
  const nested = reader.nested("retry");
  if (nested === undefined) return base;
  nested.refuseUnknown(RETRY_KEYS);
  const policy: RetryPolicy = {
    attempts: nested.number("attempts", { min: 1, max: ATTEMPTS_MAX }) ?? base.attempts,
    initialDelayMs: nested.durationMs("initialDelay", 0) ?? base.initialDelayMs,
    factor: nested.number("factor", { min: 1, max: 1_000, whole: false }) ?? base.factor,
    delayMsMax: parseDelayMax(nested, base),
    jitter: parseJitter(nested) ?? base.jitter,
    retryOn: parseRetryOn(nested) ?? base.retryOn,
    rules: parseRules(nested) ?? base.rules,
  };
  if (policy.delayMsMax === null && policy.factor > 1) {
    nested.fault(
      "maxDelay",
      `"none" with a factor of ${policy.factor} grows without end`,
      "set factor to 1, or a maxDelay",
    );
  }
  return policy;
}

function parseDelayMax(reader: OptionReader, base: RetryPolicy): number | null {
  if (reader.raw("maxDelay") === "none") return null;
  return reader.durationMs("maxDelay") ?? base.delayMsMax;
}

function parseJitter(reader: OptionReader): Jitter | undefined {
  const raw = reader.raw("jitter");
  if (raw === 0) return "none";
  if (typeof raw === "number") return reader.number("jitter", { min: 0, max: 1, whole: false });
  return reader.oneOf("jitter", ["full", "equal", "decorrelated", "none"]);
}

function parseRetryOn(reader: OptionReader): RetryPolicy["retryOn"] | undefined {
  const raw = reader.raw("retryOn");
  if (raw === undefined || raw === "conservative") return raw;
  const classes = reader.texts("retryOn", ERROR_CLASSES.length);
  if (classes === undefined) return undefined;
  const known = classes.filter(isErrorClass);
  const unknown = classes.filter((name) => !isErrorClass(name));
  for (const name of unknown) {
    reader.fault("retryOn", `"${name}" is no error class`, `known: ${ERROR_CLASSES.join(", ")}`);
  }
  return known;
}

/** True for the name of an error class. */
function isErrorClass(name: unknown): name is ErrorClass {
  return ERROR_CLASSES.some((known) => known === name);
}

function parseRules(reader: OptionReader): readonly ParsedRule[] | undefined {
  const raw = reader.raw("rules");
  if (raw === undefined) return undefined;
  if (!Array.isArray(raw) || raw.length > RETRY_RULES_MAX) {
    return reader.fault(
      "rules",
      `expected a list of at most ${RETRY_RULES_MAX} rules; got ${describeValue(raw)}`,
    );
  }
  return raw.flatMap((rule: unknown, index) => parseRule(rule, { reader, index }) ?? []);
}

function parseRule(
  rule: unknown,
  at: { readonly reader: OptionReader; readonly index: number },
): ParsedRule | undefined {
  const key = `rules.${at.index}`;
  if (!isPlainRecord(rule) || !isPlainRecord(rule["match"])) {
    return at.reader.fault(key, `expected { match: {...}, then: ... }; got ${describeValue(rule)}`);
  }
  refuseOther(rule, { ...at, key, known: ["match", "then"] });
  const match = parseMatch(rule["match"], { ...at, key });
  const then = rule["then"];
  if (isPlainRecord(then)) {
    refuseOther(then, { ...at, key: `${key}.then`, known: ["retryAfter"] });
  }
  if (then === "retry" || then === "fail" || then === "skip" || then === "abort-run") {
    return { match, verb: then, retryAfterMs: null };
  }
  const after = isPlainRecord(then) ? parseDuration(then["retryAfter"]) : undefined;
  if (after?.ok === true && after.value <= DURATION_MS_MAX) {
    return { match, verb: "retry", retryAfterMs: after.value };
  }
  return at.reader.fault(
    `${key}.then`,
    `expected "retry", "fail", "skip", "abort-run" or { retryAfter: "5m" }; got ${describeValue(then)}`,
  );
}

/** A misspelt part would make a rule that matches more than its author thinks. */
function refuseOther(
  record: Readonly<Record<string, unknown>>,
  at: { readonly reader: OptionReader; readonly key: string; readonly known: readonly string[] },
): void {
  for (const name of Object.keys(record)) {
    if (at.known.includes(name)) continue;
    at.reader.fault(
      `${at.key}.${name}`,
      `"${name}" is not an option here`,
      `known: ${at.known.join(", ")}`,
    );
  }
}

function isAttempt(value: unknown): boolean {
  return (
    typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= ATTEMPTS_MAX
  );
}

/** Such failures end before any rule is asked. */
const UNASKED_CLASSES: ReadonlySet<ErrorClass> = new Set([
  "permanent",
  "cancelled",
  "fenced",
  "deadline",
]);

const MATCH_KEYS: readonly string[] = ["class", "code", "exitCode", "message", "attempt"];

function parseMatch(
  raw: Readonly<Record<string, unknown>>,
  at: { readonly reader: OptionReader; readonly key: string },
): RetryMatch {
  const fault = (name: string, expected: string): void => {
    at.reader.fault(
      `${at.key}.match.${name}`,
      `expected ${expected}; got ${describeValue(raw[name])}`,
    );
  };
  refuseOther(raw, { ...at, key: `${at.key}.match`, known: MATCH_KEYS });
  const { class: errorClass, code, exitCode, message, attempt } = raw;
  if (errorClass !== undefined && !isErrorClass(errorClass)) fault("class", "an error class");
  if (isErrorClass(errorClass) && UNASKED_CLASSES.has(errorClass))
    fault("class", "a class that rules are asked about");
  if (code !== undefined && typeof code !== "string") fault("code", "text");
  if (exitCode !== undefined && !Number.isSafeInteger(exitCode))
    fault("exitCode", "a whole number");
  if (message !== undefined && typeof message !== "string" && !(message instanceof RegExp)) {
    fault("message", "text or a regular expression");
  }
  if (attempt !== undefined && !isAttempt(attempt)) {
    fault("attempt", `a whole number from 1 to ${ATTEMPTS_MAX}`);
  }
  return {
    ...(isErrorClass(errorClass) ? { class: errorClass } : {}),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof exitCode === "number" ? { exitCode } : {}),
    ...(typeof message === "string" || message instanceof RegExp ? { message } : {}),
    ...(typeof attempt === "number" ? { attempt } : {}),
  };
}
