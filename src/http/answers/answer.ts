// How an answer looks on the wire: JSON, the envelope of an error, and the headers that every answer carries.
// An error that is the world's or ours is told in a fixed sentence: its own words may hold paths, SQL or versions.

import { isMillraceError, type ErrorCode } from "../../model/errors.ts";
import type { Json } from "../../std/json.ts";
import { redact, redactValue } from "../../std/redact.ts";
import { statusOf } from "../error-status.ts";
import { TextAnswer } from "./text-answer.ts";

/** Headers of every answer, whatever it holds. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What a page of ours may load and do; it holds for every answer, since JSON opened as a page is a page. */
export const PAGE_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** Two years in seconds, as browsers ask for it. */
export const TRANSPORT_POLICY = "max-age=63072000";

/** The body of every refusal. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint?: string;
    readonly details?: Readonly<Record<string, Json>>;
  };
}

/** A refusal as it is answered. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer that is JSON. */
export function jsonAnswer(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): TextAnswer {
  return new TextAnswer(text, status, { "content-type": "application/json", ...headers });
}

/** What a file is. */
export interface FileFacts {
  readonly type: "text/html" | "text/markdown" | "text/csv";
  /** Without a folder: letters, digits, '.', '_' and '-'. */
  readonly name: string;
}

/** On no origin of ours, without scripts, frames or anything from elsewhere. */
const FILE_POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/** Text as a file to save: a browser downloads it, and whoever opens it here gets a page that may run nothing. */
export function fileAnswer(text: string, { type, name }: FileFacts): Response {
  return new Response(text, {
    headers: {
      "content-type": `${type}; charset=utf-8`,
      "content-disposition": `attachment; filename="${name.replaceAll(/[^\w.-]/g, "_")}"`,
      "content-security-policy": FILE_POLICY,
    },
  });
}

/** What is answered for anything that was thrown. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  if (!isMillraceError(error)) return refusal("INTERNAL", FAULT_OF_OURS);
  const { code, details } = error;
  const status = statusOf(code);
  const headers = {
    ...headersOf(details),
    ...(code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
  };
  const sentence = SILENT[code] ?? (status === 500 ? FAULT_OF_OURS : undefined);
  if (sentence !== undefined) return { ...refusal(code, sentence), headers };
  return {
    status,
    headers,
    body: {
      error: {
        code,
        message: redact(error.message),
        ...(error.hint === undefined ? {} : { hint: redact(error.hint) }),
        ...(details === undefined ? {} : { details: redactValue(details) }),
      },
    },
  };
}

const FAULT_OF_OURS = "The request could not be answered; the log of the server says why.";
const STORE_AWAY = "The store cannot be reached or written at the moment.";
const FILE_FAULT = "A file of the server is in the way of the request.";

/** Codes whose own words are for the operator of the machine, not for whoever asks over the network. */
const SILENT: Readonly<Partial<Record<ErrorCode, string>>> = {
  STORE_NOT_FOUND: STORE_AWAY,
  STORE_INVALID: STORE_AWAY,
  STORE_DAMAGED: STORE_AWAY,
  STORE_BUSY: "The store is busy; ask again.",
  STORE_FULL: "The store is full.",
  STORE_READ_ONLY: STORE_AWAY,
  STORE_TOO_NEW: STORE_AWAY,
  STORE_UNSUPPORTED: STORE_AWAY,
  STORE_ON_NETWORK: STORE_AWAY,
  STORE_CLOSED: "The server is closing its store.",
  STORE_FAILED: STORE_AWAY,
  PIPELINE_NOT_FOUND: "The pipeline's file is not there.",
  FILE_EXISTS: FILE_FAULT,
  PORT_IN_USE: FAULT_OF_OURS,
};

function refusal(code: ErrorCode, message: string): ErrorAnswer {
  return { status: statusOf(code), headers: {}, body: { error: { code, message } } };
}

/** A refusal that says when to come again, or what is allowed, says it in the header that HTTP has for it. */
function headersOf(details: Readonly<Record<string, Json>> | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  const waitMs = details?.["retryAfterMs"];
  if (typeof waitMs === "number")
    headers["retry-after"] = `${Math.max(1, Math.ceil(waitMs / 1000))}`;
  const allowed = details?.["allowed"];
  if (Array.isArray(allowed)) headers["allow"] = allowed.join(", ");
  return headers;
}
