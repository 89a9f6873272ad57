// The one line of stdout that is not output: `{"millrace":"progress","done":3,"total":10,"note":"..."}`.
// Anything that is not exactly such a line is an ordinary line, so that nothing a program prints is lost.

import { cutText } from "../../../std/json.ts";
import { isRecord } from "../../../std/record.ts";
import { redact } from "../../../std/redact.ts";
import type { CommandProgress } from "./request.ts";

/** Bytes of a progress line; a longer line is an ordinary one. */
export const PROGRESS_LINE_BYTES_MAX = 4_096;

const NOTE_CHARS_MAX = 500;
const OPENING_BRACE = 0x7b;

/** The progress that a line without its end tells; undefined for any other line. */
export function findProgress(line: Buffer): CommandProgress | undefined {
  // Asked of every line: most are turned away by their first byte or their length.
  if (line[0] !== OPENING_BRACE || line.length > PROGRESS_LINE_BYTES_MAX) return undefined;
  const text = line.toString("utf8");
  return text.includes('"millrace"') ? readProgress(parseLine(text)) : undefined;
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, so not ours.
    return undefined;
  }
}

function readProgress(value: unknown): CommandProgress | undefined {
  if (!isRecord(value) || value["millrace"] !== "progress") return undefined;
  const { done, total, note } = value;
  if (!isAmount(done)) return undefined;
  if (total !== undefined && total !== null && !isAmount(total)) return undefined;
  return {
    done,
    ...(isAmount(total) ? { total } : {}),
    ...(typeof note === "string" ? { note: cutText(redact(note), NOTE_CHARS_MAX) } : {}),
  };
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
