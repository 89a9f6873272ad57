// The last touch of every answer: JSON as text, a tag where the route wants one, the headers that none may lack, and
// no body for HEAD.

import type { ServerResponse } from "node:http";
import { sha256Hex } from "../../std/json.ts";
import { holdsSecret, redactValue } from "../../std/redact.ts";
import { jsonAnswer, PAGE_POLICY, SAFE_HEADERS, TRANSPORT_POLICY } from "./answer.ts";
import type { Route, RouteAnswer } from "../route.ts";
import { sendText, textOf } from "./send-text.ts";

/** What a route answered, as a Response. */
export function toAnswer(answer: RouteAnswer<unknown>, route: Route, request: Request): Response {
  if (answer instanceof Response) return answer;
  const text = toSafeText(answer.json);
  if (route.etag !== true) return jsonAnswer(text, answer.status ?? 200, answer.headers);
  const tag = `"${sha256Hex(text).slice(0, 32)}"`;
  const headers = { ...answer.headers, etag: tag };
  return hasTag(request.headers.get("if-none-match"), tag)
    ? new Response(null, { status: 304, headers })
    : jsonAnswer(text, answer.status ?? 200, headers);
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
export function finishAnswer(
  answer: Response,
  { requestId, isHead, hasTls, outgoing }: FinishTerms,
): Response {
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(SAFE_HEADERS)) headers.set(name, value);
  headers.set("x-request-id", requestId);
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", PAGE_POLICY);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  if (hasTls) headers.set("strict-transport-security", TRANSPORT_POLICY);
  const text = textOf(answer);
  if (text !== undefined && outgoing !== undefined && !isHead) {
    return sendText(outgoing, { status: answer.status, headers, text });
  }
  if (isHead) void answer.body?.cancel();
  return new Response(isHead ? null : answer.body, { status: answer.status, headers });
}

/** Weak or strong, one of many, or any. */
function hasTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((each) => each.trim().replace(/^W\//, "") === tag);
}
