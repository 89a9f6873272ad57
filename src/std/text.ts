// Text made fit to be shown: nothing that a terminal would obey, nothing longer than its place, and lists
// of names as a sentence has them. Colours and widths belong to whoever draws.

import { cutText } from "./json.ts";

/** Which of the harmless control characters may stay. */
export interface EscapeOptions {
  /** Leaves line feeds as they are. Default false: shown as `\n`. */
  readonly keepNewline?: boolean;
  /** Leaves tabs as they are. Default false: shown as `\t`. */
  readonly keepTab?: boolean;
}

// Control characters (C0, DEL, C1), half surrogate pairs, the marks that turn the direction of writing,
// and the two line ends that are not line feeds.
const UNSAFE = /[\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** Shows what a terminal would obey: `\x1b` for an escape, `\u202e` for a mark that turns the line. */
export function escapeControl(text: string, options: EscapeOptions = {}): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n" && options.keepNewline === true) return character;
    if (character === "\t" && options.keepTab === true) return character;
    return SHORT_ESCAPES.get(character) ?? escapeCode(character.charCodeAt(0));
  });
}

function escapeCode(code: number): string {
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, "0")}` : `\\u${digits.padStart(4, "0")}`;
}

/** Text of user code in one line: what is between two ends of line is joined by blanks, and the rest escaped. */
export function oneLine(text: string): string {
  // Not by one pattern over both: it would look through a long blank again from each of its characters.
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return escapeControl(lines.filter((line) => line !== "").join(" "), { keepTab: false });
}

/** Text of at most `charsMax` UTF-16 units, with `…` for a cut-out middle. Keeps surrogate pairs whole. */
export function shortenMiddle(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  if (charsMax < 1) return "";
  const tailChars = (charsMax - 1) >> 1;
  let tailAt = text.length - tailChars;
  if (isInsidePair(text, tailAt)) tailAt += 1;
  return `${cutText(text, charsMax - 1 - tailChars)}…${text.slice(tailAt)}`;
}

function isInsidePair(text: string, at: number): boolean {
  const code = at > 0 ? text.codePointAt(at - 1) : undefined;
  return code !== undefined && code > 0xffff;
}

const NAMES_MAX = 20;

/** `"a", "b" and "c"`; `none` for an empty list; after twenty names only how many more there are. */
export function quoteList(names: readonly string[]): string {
  const quoted = names.slice(0, NAMES_MAX).map((name) => `"${name}"`);
  const more = names.length - quoted.length;
  const last = more > 0 ? `${more} more` : quoted.pop();
  if (last === undefined) return "none";
  return quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
}
