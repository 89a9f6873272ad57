// The bounds of a page, and cursors that programs pass on without reading them.

import { MillraceError } from "../../model/errors.ts";
import { PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX } from "../../model/limits.ts";

/** Rows of a page: as asked, 1 to 500, by default 20. OPTION_INVALID. */
export function checkPageLimit(limit: number | undefined): number {
  if (limit === undefined) return PAGE_ROWS_DEFAULT;
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= PAGE_ROWS_MAX) return limit;
  throw new MillraceError(
    "OPTION_INVALID",
    `A page has 1 to ${PAGE_ROWS_MAX} rows; got ${limit}.`,
    { hint: "follow the cursor for more", details: { limit, max: PAGE_ROWS_MAX } },
  );
}

/** The fault of a cursor that is none of this list. */
export function cursorInvalid(cursor: string): MillraceError {
  return new MillraceError("OPTION_INVALID", `"${cursor}" is no cursor of this list.`, {
    hint: "pass on a cursor that a page of this list gave, unchanged",
  });
}

/** The fault of a page that is asked for by two places at once. */
export function placeInvalid(): MillraceError {
  return new MillraceError("OPTION_INVALID", "around: expected without a cursor; got both.", {
    hint: "ask for the page around one, then follow its cursors",
  });
}

/** Where a list goes on. Either may lead to an empty page, which leads back. */
export interface PageCursors {
  /** Towards the end of the list. Absent: it ends here. */
  readonly nextCursor?: string;
  /** Towards its beginning. Absent: it begins here. */
  readonly previousCursor?: string;
}

/** What of both sides of a place makes a page: half of the rest from above, unless there are too few on one side. */
export function cutAround<T>(
  above: readonly T[],
  below: readonly T[],
  limit: number,
): { readonly rows: readonly T[]; readonly hasAbove: boolean; readonly hasBelow: boolean } {
  const fromAbove = Math.min(
    above.length,
    Math.max(Math.floor((limit - 1) / 2), limit - below.length),
  );
  const rows = [...above.slice(above.length - fromAbove), ...below.slice(0, limit - fromAbove)];
  return {
    rows,
    hasAbove: fromAbove < above.length || above.length >= limit,
    hasBelow: rows.length - fromAbove < below.length || below.length >= limit,
  };
}
