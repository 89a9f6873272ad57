// What a caller may name a run by: its key, tags and source. Nothing has been written yet when it throws.

import { MillraceError } from "../../model/errors.ts";
import { RUN_KEY_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX } from "../../model/limits.ts";

/** How a caller names a run. */
export interface RunLabels {
  readonly key?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly source?: string;
}

/** OPTION_INVALID for a label that cannot be kept; `where` stands before its name, such as "entries[3].". */
export function checkLabels({ key, tags, source }: RunLabels, where: string = ""): void {
  if (key !== undefined) checkKey(key, `${where}key`);
  if (tags !== undefined) checkTags(tags, `${where}tags`);
  if (source === undefined || source.length <= RUN_KEY_CHARS_MAX) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `${where}source: expected at most ${RUN_KEY_CHARS_MAX} characters; got ${source.length}.`,
  );
}

function checkKey(key: string, name: string): void {
  if (key.length === 0 || key.length > RUN_KEY_CHARS_MAX) {
    throw new MillraceError(
      "OPTION_INVALID",
      `${name}: expected 1 to ${RUN_KEY_CHARS_MAX} characters; got ${key.length}.`,
    );
  }
  if (key.isWellFormed()) return;
  throw new MillraceError("OPTION_INVALID", `${name}: ${JSON.stringify(key)} is no Unicode text.`);
}

function checkTags(tags: Readonly<Record<string, string>>, name: string): void {
  const entries = Object.entries(tags);
  const tooLong = entries.find(
    ([key, value]) => key.length > TAG_CHARS_MAX || value.length > TAG_CHARS_MAX,
  );
  if (entries.length <= TAGS_MAX && tooLong === undefined) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `${name}: expected at most ${TAGS_MAX}, each name and value at most ${TAG_CHARS_MAX} characters.`,
  );
}
