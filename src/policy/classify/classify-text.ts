// A classifier for errors that carry nothing but words, to be named as `classify`. It is not asked unless an
// author says so, for words in a message often lie; an error with a code, a status or an exit code is left to the
// table. Words count as whole words: what is part of a name, a path or a file says nothing.

import type { ErrorClass } from "../../model/outcome.ts";
import { classifyError } from "./classify.ts";
import { listCauses, readText } from "./evidence.ts";

/** Characters that are read: whoever has not said it by then does not say it. */
const TEXT_CHARS_MAX = 4_000;

/** In order: faults in the code by name, then what may pass, then what will not. */
const PHRASES: readonly (readonly [ErrorClass, RegExp])[] = (
  [
    [
      "permanent",
      "(?:syntax|type|name|attribute|import|reference) ?error",
      "(?:modulenotfound|indentation)error",
    ],
    [
      "timeout",
      "[a-z]*timeouts?",
      "[a-z]*timeout(?:error|exception)",
      "time-?outs?",
      "timed[ -]out",
      "deadline exceeded",
      "etimedout",
    ],
    [
      "throttled",
      "rate[ -]?limit(?:s|ed|ing)?",
      "ratelimit(?:ed)?(?:error|exception)",
      "too many requests",
      "toomanyrequests(?:error|exception)?",
      "throttl(?:ed|ing)(?:error|exception)?",
    ],
    [
      "unreachable",
      "connection refused",
      "connectionrefusederror",
      "econnrefused",
      "eai_again",
      "no route to host",
      "(?:host|network) (?:is )?unreachable",
    ],
    [
      "broken",
      "connection (?:was |has been |is )?(?:aborted|broken|closed|dropped|failed|interrupted|lost|reset|terminated)",
      "connection (?:errors?|failures?|issues?|problems?)",
      "[a-z]*connection(?:reset|aborted)?error",
      "(?:cannot|can't|could not|couldn't|failed to|unable to) connect",
      "network (?:errors?|failures?|problems?|is down)",
      "broken pipe",
      "socket hang up",
      "econnreset",
      "epipe",
    ],
    [
      "server",
      "unavailable",
      "[a-z]*unavailable(?:error|exception)",
      "overloaded",
      "bad gateway",
      "internal server error",
    ],
    [
      "auth",
      "permissions?",
      "permission(?:denied)?error",
      "access denied",
      "forbidden",
      "unauthori[sz]ed",
    ],
    [
      "permanent",
      "not found",
      "[a-z]*notfounderror",
      "invalid",
      "malformed",
      "pars(?:e|er|ing)",
      "pars(?:e|ing) ?error",
    ],
  ] as const
).map(([errorClass, ...phrases]) => [errorClass, toPattern(phrases)]);

/** Hyphens and underscores join words to names, so that neither may stand beside a phrase. */
function toPattern(phrases: readonly string[]): RegExp {
  return new RegExp(`(?<![\\w-])(?:${phrases.join("|")})(?![\\w-])`, "i");
}

/** Names of things: one quoted word, whatever has a slash in it, a word with a short ending. */
const NAMES: RegExp =
  /(["'`])[\w.-]+\1|(?<![^\s"'`])[^\s"'`/\\]*[/\\][^\s"'`]*|(?<![\w.-])[\w-]+\.[a-z]\w{0,3}(?![\w.])/gi;

/**
 * Names a class by the words of an error and its causes, in any case: timeouts, broken connections, rate limits and
 * what is unavailable are worth another attempt; faults in the code, what is not found, not permitted, invalid or
 * cannot be parsed are not. Undefined where the words say nothing, and where the error has a code, a status, an
 * exit code or a class of its own: those count for more than words. Never throws.
 *
 * @example stage("ask", { retry: 3, classify: classifyText }, ask)
 */
export function classifyText(error: unknown): ErrorClass | undefined {
  const known = classifyError(error);
  const isText = known.class === "unknown" || known.class === "bug";
  if (!isText || known.code !== undefined) return undefined;
  const text = readWords(error).replace(NAMES, '""');
  return PHRASES.find(([, pattern]) => pattern.test(text))?.[0];
}

function readWords(error: unknown): string {
  if (typeof error === "string") return error.slice(0, TEXT_CHARS_MAX);
  const words = listCauses(error).map((source) => {
    return `${readText(source, "name") ?? ""}: ${readText(source, "message") ?? ""}`;
  });
  return words.join("\n").slice(0, TEXT_CHARS_MAX);
}
