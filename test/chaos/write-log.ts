// What a process wrote, call by call, as strace saw it: into which file, where, which bytes, what it synced, renamed
// and removed, and what it said on its standard output in between.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** A call that changes what is on the disk, or says that it is there. Paths are absolute. */
export type Operation =
  | { readonly kind: "write"; readonly path: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly path: string; readonly size: number }
  | { readonly kind: "create" | "remove" | "folder"; readonly path: string }
  | { readonly kind: "rename"; readonly path: string; readonly to: string }
  | { readonly kind: "sync"; readonly path: string }
  | { readonly kind: "said"; readonly text: string };

/** The calls that are recorded. Whoever writes with another one is not seen. */
const RECORDED_CALLS =
  "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,rename,unlink,mkdir";

/** Arguments of strace that record into a file. */
export function recordInto(log: string): readonly string[] {
  const trace = ["-e", `trace=${RECORDED_CALLS}`, "-e", "signal=none"];
  return ["strace", "-f", "-y", "-xx", "-s", "16777216", "-o", log, ...trace];
}

const LINE = /^(\d+) +(.*)$/;
const CALL = /^([a-z0-9_]+)\((.*)\) += (-?\d+)/;
const TEXT = String.raw`"((?:\\x[0-9a-f]{2})*)"`;
const FILE = String.raw`(\d+)<([^>]*)>`;
const WRITE = new RegExp(`^${FILE}, ${TEXT}, \\d+(?:, (\\d+))?$`);
const SYNC = new RegExp(`^${FILE}$`);
const TRUNCATE = new RegExp(`^${FILE}, (\\d+)$`);
const OPEN = new RegExp(`^[^,]+, ${TEXT}, ([A-Z_|]+)`);
const RENAME = new RegExp(`^${TEXT}, ${TEXT}$`);
const PATH = new RegExp(`^${TEXT}`);

/** Reads a log. Only what is under `folder` counts; a call of another shape there is an error. */
export function readWriteLog(log: string, folder: string): readonly Operation[] {
  const reader = new LogReader(folder);
  const open = new Map<string, string>();
  for (const line of readFileSync(log, "latin1").split("\n")) {
    const [, thread = "", rest = ""] = LINE.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      open.set(thread, rest.slice(0, -"<unfinished ...>".length).trimEnd());
      continue;
    }
    const resumed = /^<\.\.\. [a-z0-9_]+ resumed>/.exec(rest);
    const whole =
      resumed === null ? rest : (open.get(thread) ?? "") + rest.slice(resumed[0].length);
    reader.take(whole);
  }
  return reader.operations;
}

class LogReader {
  readonly operations: Operation[] = [];
  readonly #folder: string;
  /** Where the next write without a place goes: files of blobs are written from their start. */
  readonly #ends: Map<string, number> = new Map();

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  take(line: string): void {
    const [, call = "", args = "", result = ""] = CALL.exec(line) ?? [];
    if (call === "" || Number(result) < 0) return;
    switch (call) {
      case "write":
      case "pwrite64":
        return this.#write(args, Number(result));
      case "fsync":
      case "fdatasync":
        return this.#onFile(SYNC.exec(args), ([path]) => ({ kind: "sync", path }));
      case "ftruncate":
        return this.#onFile(TRUNCATE.exec(args), ([path, size]) => ({
          kind: "truncate",
          path,
          size: Number(size),
        }));
      case "openat":
        return this.#open(args);
      case "writev":
      case "pwritev": {
        const [, , name = ""] = new RegExp(`^${FILE}`).exec(args) ?? [];
        const path = this.#inside(name);
        if (path !== null) throw new Error(`The log has a ${call} into "${path}".`);
        return;
      }
      default:
        return this.#name(call, args);
    }
  }

  #write(args: string, written: number): void {
    const [, file = "", name = "", text = "", at] = WRITE.exec(args) ?? [];
    if (file === "1") {
      this.operations.push({ kind: "said", text: unescape(text).toString("utf8") });
      return;
    }
    const path = this.#inside(name);
    if (path === null) return;
    const start = at === undefined ? (this.#ends.get(path) ?? 0) : Number(at);
    const bytes = unescape(text).subarray(0, written);
    if (bytes.length !== written) throw new Error(`The log lacks bytes of a write into "${path}".`);
    this.#ends.set(path, start + written);
    this.operations.push({ kind: "write", path, at: start, bytes });
  }

  #onFile(found: RegExpExecArray | null, make: (args: [string, string]) => Operation): void {
    const [, , name = "", more = ""] = found ?? [];
    const path = this.#inside(name);
    if (path !== null) this.operations.push(make([path, more]));
  }

  #open(args: string): void {
    const [, text = "", flags = ""] = OPEN.exec(args) ?? [];
    const path = this.#inside(text);
    if (path === null || !flags.includes("O_CREAT")) return;
    this.operations.push({ kind: "create", path });
    if (flags.includes("O_TRUNC")) this.operations.push({ kind: "truncate", path, size: 0 });
    this.#ends.set(path, 0);
  }

  #name(call: string, args: string): void {
    const [, first = "", second = ""] = (call === "rename" ? RENAME : PATH).exec(args) ?? [];
    const path = this.#inside(first);
    if (path === null) return;
    if (call === "rename") {
      this.operations.push({ kind: "rename", path, to: unescape(second).toString("utf8") });
    } else if (call === "unlink") this.operations.push({ kind: "remove", path });
    else this.operations.push({ kind: "folder", path });
  }

  #inside(text: string): string | null {
    const path = unescape(text).toString("utf8");
    // SQLite rebuilds the index of its log when it is first opened.
    if (path.endsWith("-shm")) return null;
    return path === this.#folder || path.startsWith(join(this.#folder, "/")) ? path : null;
  }
}

function unescape(text: string): Buffer {
  return text.includes("\\x")
    ? Buffer.from(text.replaceAll("\\x", ""), "hex")
    : Buffer.from(text, "latin1");
}
