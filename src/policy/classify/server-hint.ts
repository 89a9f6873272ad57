// When the other side says how long to wait: Retry-After of HTTP, push-back of gRPC, `retryAfter` of a
// ThrottledError. Reads the hint only; how it enters a wait is `retry.ts`.

import { parseDuration } from "../../std/duration.ts";
import { isRecord } from "../../std/record.ts";
import { readField, tryRead, type Source } from "./evidence.ts";

/** A header's text from `headers` or `response.headers`: a Headers object or a record, any case. */
export function findHeader(source: Source, name: string): string | undefined {
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

/** True where the answer says that its allowance is used up. */
export function isAllowanceUsedUp(source: Source): boolean {
  return ["x-ratelimit-remaining", "ratelimit-remaining"].some(
    (name) => findHeader(source, name) === "0",
  );
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
