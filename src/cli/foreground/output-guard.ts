// Keeps what user code prints by itself (`console.log`) out of the way of ours: off the one document on stdout,
// and above the block that is redrawn. Known secrets are redacted on the way. Only while a run is worked on; then the streams are as they were.

import type { OutStream } from "../cli-context.ts";
import { redact, redactCut } from "../../std/redact.ts";
import { escapeControl } from "../../std/text.ts";

/** Takes a stream's writes; `restore` gives the stream back and hands over a last line without an end. */
export interface OutputGuard {
  restore(): void;
}

/** Longest line that is waited for; a longer one is handed over in pieces. */
const LINE_CHARS_MAX = 16_384;

/** Hands every line written to `stream` to `onLine`, its line feed removed. */
export function guardOutput(stream: OutStream, onLine: (line: string) => void): OutputGuard {
  const own = Object.getOwnPropertyDescriptor(stream, "write");
  const decoder = new TextDecoder();
  let pending = "";
  const take = (text: string): void => {
    const lines = (pending + text).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) onLine(redact(line));
    if (pending.length <= LINE_CHARS_MAX) return;
    onLine(redactCut(pending));
    pending = "";
  };
  const write = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
    take(chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : String(chunk));
    const done = rest.find((value) => typeof value === "function");
    if (typeof done === "function") queueMicrotask(() => done());
    return true;
  };
  Object.defineProperty(stream, "write", { value: write, configurable: true, writable: true });
  return {
    restore() {
      // The method of the prototype shows again, unless the stream had one of its own.
      if (own === undefined) Reflect.deleteProperty(stream, "write");
      else Object.defineProperty(stream, "write", own);
      if (pending !== "") onLine(redact(pending));
      pending = "";
    },
  };
}

const COLOUR = new RegExp(String.raw`(\u001b\[[\d;]*m)`);

/** A line of user code as it may go to a terminal: its colours, and nothing else that a terminal obeys. */
export function tameLine(line: string, isColored: boolean): string {
  const parts = line.replace(/\r$/, "").split(COLOUR);
  const tame = parts.map((part, index) => {
    if (index % 2 === 0) return escapeControl(part, { keepTab: true }).replaceAll("\t", "    ");
    return isColored ? part : "";
  });
  return isColored && parts.length > 1 ? `${tame.join("")}\x1b[0m` : tame.join("");
}
