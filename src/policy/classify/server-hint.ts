// When the other side says how long to wait: Retry-After of HTTP, push-back of gRPC, `retryAfter` of a
// ThrottledError; and when it says that its allowance is used up, until when. Reads the hint only; how it enters a wait is `retry.ts`.

import { parseDuration } from "../../std/duration.ts";
import { isRecord } from "../../std/record.ts";
import { readField, tryRead, type Source } from "./evidence.ts";

/** A header's text from `headers` or `response.headers`: a Headers object or a record, any case. */
function findHeader(source: Source, name: string): string | undefined {
  return (
    readHeader(readField(source, "headers"), name) ??
    readHeader(readField(readField(source, "response"), "headers"), name)
  );
}

function readHeader(headers: unknown, name: string): string | undefined {
  if (!isRecord(headers)) return undefined;
  return toText(callGet(headers, name)) ?? toText(readAnyCase(headers, name));
}

function callGet(headers: Source, name: string): unknown {
  const get = readField(headers, "get");
  return typeof get === "function"
    ? tryRead((): unknown => Reflect.apply(get, headers, [name]))
    : undefined;
}

function readAnyCase(headers: Source, name: string): unknown {
  const keys = tryRead(() => Object.keys(headers)) ?? [];
  const key = keys.find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : readField(headers, key);
}

function toText(value: unknown): string | undefined {
  const first = tryRead((): unknown => (Array.isArray(value) ? value[0] : value));
  if (typeof first === "number") return String(first);
  return typeof first === "string" ? first.trim() : undefined;
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/**
 * Retry-After in ms: whole seconds, or a date less the answer's own Date header, so that a wrong clock on
 * either side cancels out; without that header less `nowMs`. Undefined when absent, invalid or negative.
 */
export function findRetryAfterMs(source: Source, nowMs: number | undefined): number | undefined {
  const text = findHeader(source, "retry-after");
  if (text === undefined) return undefined;
  return readRetryAfter(text, parseHttpDate(findHeader(source, "date")) ?? nowMs);
}

function readRetryAfter(text: string, fromMs: number | undefined): number | undefined {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  const untilMs = parseHttpDate(text);
  if (untilMs === undefined || fromMs === undefined || untilMs < fromMs) return undefined;
  return untilMs - fromMs;
}

/** Names of the headers that come in threes, with and without their old prefix. */
const ALLOWANCES = ["x-ratelimit", "ratelimit"] as const;

/** True where the answer says that its allowance is used up. */
export function isAllowanceUsedUp(source: Source): boolean {
  return ALLOWANCES.some((name) => findHeader(source, `${name}-remaining`) === "0");
}

/** Digits above which a reset is a moment, in seconds since 1970, and no duration: some 30 years. */
const EPOCH_SECONDS_MIN = 1_000_000_000;
/** The same where it is written in ms. */
const EPOCH_MS_MIN = 1_000 * EPOCH_SECONDS_MIN;

/**
 * How long nothing is left of the allowance of the other side, ms above 0: `RateLimit` (of several policies the last to
 * be reset), or the `X-RateLimit-` and `RateLimit-` headers for what remains and when it is reset. Undefined where
 * something is left, or nobody says until when.
 */
export function findResetMs(source: Source, nowMs: number | undefined): number | undefined {
  const seconds = [
    ...listSpentPolicies(findHeader(source, "ratelimit") ?? ""),
    ...ALLOWANCES.flatMap((name) =>
      findHeader(source, `${name}-remaining`) === "0"
        ? [findHeader(source, `${name}-reset`) ?? ""]
        : [],
    ),
  ];
  const fromMs = parseHttpDate(findHeader(source, "date")) ?? nowMs;
  const resets = seconds.flatMap((text) => readReset(text, fromMs) ?? []);
  const latestMs = Math.max(0, ...resets);
  return latestMs > 0 ? latestMs : undefined;
}

/** `"burst";r=0;t=30, "day";r=9;t=900`, or `limit=10, remaining=0, reset=30` of earlier drafts: those without a rest. */
function listSpentPolicies(text: string): readonly string[] {
  const isEarlier = /(?:^|[,;\s])remaining=/i.test(text);
  const policies = isEarlier ? [text] : text.split(",");
  return policies.flatMap((policy) => {
    const found = /(?:^|[,;\s])(?:r|remaining)=0(?=$|[,;\s])/i.test(policy);
    const reset = /(?:^|[,;\s])(?:t|reset)=(?<seconds>\d{1,12})(?=$|[,;\s])/i.exec(policy);
    const seconds = reset?.groups?.["seconds"];
    return found && seconds !== undefined ? [seconds] : [];
  });
}

function readReset(text: string, fromMs: number | undefined): number | undefined {
  if (!/^\d{1,14}$/.test(text)) return undefined;
  const value = Number(text);
  if (value < EPOCH_SECONDS_MIN) return value * 1_000;
  const atMs = value < EPOCH_MS_MIN ? value * 1_000 : value;
  return fromMs === undefined ? undefined : atMs - fromMs;
}

/** Push-back of a gRPC server: ms to wait, or "never" where its text is negative or invalid. */
export function findPushBack(source: Source): number | "never" | undefined {
  const text = readHeader(readField(source, "metadata"), "grpc-retry-pushback-ms");
  if (text === undefined) return undefined;
  return /^\d{1,12}$/.test(text) ? Number(text) : "never";
}

/**
 * `retryAfter` of a ThrottledError in ms: a duration, or text as a Retry-After header has it, where digits alone
 * are seconds and a date is one of `nowMs`'s clock. Undefined where it is absent or none of these.
 */
export function findRetryAfterField(source: Source, nowMs: number | undefined): number | undefined {
  const said = readField(source, "retryAfter");
  const parsed = parseDuration(said);
  if (parsed.ok) return parsed.value;
  return typeof said === "string" ? readRetryAfter(said.trim(), nowMs) : undefined;
}
