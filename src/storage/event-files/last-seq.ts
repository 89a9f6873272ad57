// The number of the last whole line of a file of events, found from its end, whatever damaged lines follow it.

import { constants } from "node:fs";
import { openUnlinked } from "../../std/files/unlinked-file.ts";
import { isRecord } from "../../std/record.ts";
import { EVENT_LINE_BYTES_MAX } from "../../model/limits.ts";

/** Bytes that are read from the end at first. */
const TAIL_BYTES = 65_536;

/** How a file of events ends. */
export interface FileEnd {
  /** 0: no whole line was found. */
  readonly seq: number;
  /** True: its last line has no end. */
  readonly isCut: boolean;
}

/** Reads from the end of a file. */
export async function readLastSeq(path: string): Promise<FileEnd> {
  const file = await openUnlinked(path, { flags: constants.O_RDONLY });
  try {
    const { size } = await file.stat();
    let isCut = false;
    // Twice as much with every look: nearly always the first holds whole lines.
    for (let bytes = TAIL_BYTES; ; bytes *= 2) {
      const start = Math.max(0, size - bytes);
      const buffer = Buffer.alloc(size - start);
      await file.read(buffer, 0, buffer.length, start);
      isCut = buffer.length > 0 && buffer.at(-1) !== 0x0a;
      const seq = lastSeqIn(buffer.toString("utf8"), start === 0);
      if (seq !== null || start === 0 || bytes > EVENT_LINE_BYTES_MAX * 2)
        return { seq: seq ?? 0, isCut };
    }
  } finally {
    await file.close();
  }
}

function lastSeqIn(text: string, isWhole: boolean): number | null {
  const lines = text.split("\n");
  // What stands before the first line end may be half a line. What follows the last one is a line where it can be read:
  // then its end alone is missing.
  const whole = lines.slice(isWhole ? 0 : 1);
  for (const line of whole.toReversed()) {
    const seq = seqOf(line);
    if (seq !== null) return seq;
  }
  return null;
}

function seqOf(line: string): number | null {
  try {
    const value: unknown = JSON.parse(line);
    const seq = isRecord(value) ? value["seq"] : null;
    return typeof seq === "number" && Number.isSafeInteger(seq) && seq > 0 ? seq : null;
  } catch {
    return null;
  }
}
