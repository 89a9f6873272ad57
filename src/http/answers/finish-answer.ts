// The last touch of every answer: JSON as text, a tag where the route wants one, the headers that none may lack, and
// no body for HEAD.

import type { ServerResponse } from "node:http";
import { sha256Hex } from "../../std/json.ts";
import { holdsSecret, redactValue } from "../../std/redact.ts";
import { jsonAnswer, PAGE_POLICY, SAFE_HEADERS, TRANSPORT_POLICY } from "./answer.ts";
import type { JsonAnswer, Route, RouteAnswer } from "../route.ts";
import { sendAnswer, TextAnswer, toResponse, type Answer } from "./text-answer.ts";

/** JSON of a route as text, with its tag. */
export interface TaggedText {
  readonly text: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: the route wants none. */
  readonly tag: string | undefined;
}

/** Whether it is JSON that is no text yet. */
export function isJsonAnswer(answer: RouteAnswer<unknown>): answer is JsonAnswer<unknown> {
  return !(answer instanceof Response) && !(answer instanceof TextAnswer);
}

/** What a route answered, as text. */
export function toTaggedText(
  { json, status = 200, headers = {} }: JsonAnswer<unknown>,
  { etag = false }: Route,
): TaggedText {
  const text = toSafeText(json);
  const tag = etag ? `"${sha256Hex(text).slice(0, 32)}"` : undefined;
  return { text, status, headers, tag };
}

/** The text, or its tag alone for who has it already. */
export function toTextAnswer(
  { text, status, headers, tag }: TaggedText,
  request: Request,
): TextAnswer {
  if (tag === undefined) return jsonAnswer(text, status, headers);
  const tagged = { ...headers, etag: tag };
  return hasTag(request.headers.get("if-none-match"), tag)
    ? new TextAnswer(null, 304, tagged)
    : jsonAnswer(text, status, tagged);
}

/** JSON without a known secret. Redacted as a value, since a secret of digits may also be a number's text. */
function toSafeText(json: unknown): string {
  const text = JSON.stringify(json) ?? "null";
  return holdsSecret(text) ? JSON.stringify(redactValue(json)) : text;
}

/** What every answer is finished with. */
export interface FinishTerms {
  readonly requestId: string;
  readonly isHead: boolean;
  /** TLS of our own: then browsers are told to stay with it. */
  readonly hasTls: boolean;
  /** Where it goes. Undefined: the app is called without a server. */
  readonly outgoing: ServerResponse | undefined;
}

/** The answer as it leaves the house. */
export function finishAnswer(answer: Answer, terms: FinishTerms): Response {
  if (!(answer instanceof TextAnswer)) return finishResponse(answer, terms);
  const { isHead, outgoing } = terms;
  const whole = { status: answer.status, text: isHead ? null : answer.text };
  const pairs = [
    ...Object.entries(answer.headers).flat(),
    ...listMissing((name) => answer.headers[name] !== undefined, terms),
  ];
  return outgoing === undefined ? toResponse(whole, pairs) : sendAnswer(outgoing, whole, pairs);
}

function finishResponse(answer: Response, terms: FinishTerms): Response {
  const headers = new Headers(answer.headers);
  const missing = listMissing((name) => headers.has(name), terms);
  for (let at = 0; at < missing.length; at += 2)
    headers.set(missing[at] ?? "", missing[at + 1] ?? "");
  if (terms.isHead) void answer.body?.cancel();
  return new Response(terms.isHead ? null : answer.body, { status: answer.status, headers });
}

const SAFE_PAIRS: readonly string[] = Object.entries(SAFE_HEADERS).flat();

/** Headers that every answer has, and those that it has unless it says something else itself. */
function listMissing(
  has: (name: string) => boolean,
  { requestId, hasTls }: FinishTerms,
): readonly string[] {
  const pairs = [...SAFE_PAIRS, "x-request-id", requestId];
  if (!has("content-security-policy")) pairs.push("content-security-policy", PAGE_POLICY);
  if (!has("cache-control")) pairs.push("cache-control", "no-store");
  if (hasTls) pairs.push("strict-transport-security", TRANSPORT_POLICY);
  return pairs;
}

/** Weak or strong, one of many, or any. */
function hasTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((each) => each.trim().replace(/^W\//, "") === tag);
}
