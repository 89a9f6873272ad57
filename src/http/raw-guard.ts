// What is judged before a request is one of ours: bytes of which the parts behind make no Request, or of which two
// parts could make two. Refusals are written by hand, with the same headers as all others.

import type { IncomingMessage } from "node:http";
import { isMillraceError, MillraceError } from "../model/errors.ts";
import { HTTP_URL_CHARS_MAX } from "../model/limits.ts";
import { PAGE_POLICY, SAFE_HEADERS, toErrorAnswer } from "./answers/answer.ts";
import { checkHost, type OriginTerms } from "./guards/request-origin.ts";

/** FORBIDDEN for a Host that is not ours, missing or doubled, or a target that brings its own; REQUEST_INVALID for a
 *  target that is too long or no path. */
export function checkRaw(incoming: IncomingMessage, terms: OriginTerms): void {
  const target = incoming.url ?? "";
  if (target.length > HTTP_URL_CHARS_MAX) {
    throw new MillraceError(
      "REQUEST_INVALID",
      `The address has more than ${HTTP_URL_CHARS_MAX} characters.`,
    );
  }
  const hosts = countHeader(incoming.rawHeaders, "host");
  checkHost(hosts === 1 ? incoming.headers.host : undefined, terms);
  if (target.startsWith("/")) return;
  const isAbsolute = /^[a-z][a-z0-9+.-]*:/i.test(target);
  if (isAbsolute) throw new MillraceError("FORBIDDEN", "Refused.");
  throw new MillraceError("REQUEST_INVALID", "The target of the request is no path.");
}

/** A refusal as bytes, for a connection that nobody else will answer. */
export function refusalText(error: unknown): string {
  const { status, headers, body } = toErrorAnswer(
    isMillraceError(error) ? error : new MillraceError("INTERNAL", "", { cause: error }),
  );
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...SAFE_HEADERS,
    "content-security-policy": PAGE_POLICY,
    "cache-control": "no-store",
    ...headers,
    "content-type": "application/json",
    "content-length": `${Buffer.byteLength(text)}`,
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} Refused`, ...lines, "", text].join("\r\n");
}

function countHeader(raw: readonly string[], name: string): number {
  return raw.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}
