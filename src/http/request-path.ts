// The path of a request, read once: cut at its slashes first and decoded after, each piece exactly once, so that
// nobody behind reads it otherwise. What has several readings (dot segments, empty segments, backslashes, NUL, bytes
// that are no UTF-8) is refused instead of being repaired.

import { HTTP_URL_CHARS_MAX } from "../model/limits.ts";
import { err, ok, type Result } from "../std/result.ts";

/** A target in its parts: decoded pieces of the path, and the query as it came, without its question mark. */
export interface RequestTarget {
  readonly segments: readonly string[];
  readonly query: string;
}

/** Reads `/api/v1/runs?limit=5`. The error is a sentence. */
export function parseTarget(target: string): Result<RequestTarget, string> {
  if (target.length > HTTP_URL_CHARS_MAX) {
    return err(`The address has more than ${HTTP_URL_CHARS_MAX} characters.`);
  }
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  if (!path.startsWith("/") || !IS_TARGET.test(target)) return err(NOT_PLAIN);
  const segments: string[] = [];
  for (const piece of path === "/" ? [] : path.slice(1).split("/")) {
    const segment = decode(piece);
    if (segment === undefined || IS_AMBIGUOUS.test(segment)) return err(NOT_PLAIN);
    segments.push(segment);
  }
  return ok({ segments, query: mark === -1 ? "" : target.slice(mark + 1) });
}

/** Of a path that has several readings. */
export const NOT_PLAIN: string =
  "The path is not in its plain form: no slash at its end, no empty or dotted part, each byte encoded once.";

/** Visible ASCII without what browsers rewrite: a backslash, a fragment. */
const IS_TARGET = /^[!"$-[\]-~]*$/;

/** Empty, a dot segment, or with a control character: nothing of ours is called so. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const IS_AMBIGUOUS = /^\.{0,2}$|[\u0000-\u001f\u007f]/;

function decode(piece: string): string | undefined {
  if (!piece.includes("%")) return piece;
  try {
    return decodeURIComponent(piece);
  } catch {
    return undefined;
  }
}
