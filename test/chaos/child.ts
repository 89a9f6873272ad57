// Processes of the programme: started alone or under strace, watched by what they say, and never waited for longer
// than a bound, because a process that hangs is a finding and not a reason to hang as well.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job, Word } from "./program.ts";
import { programWords } from "../support/suite-package.ts";

const PROGRAM = join(import.meta.dirname, "program.ts");
/** Compiled code of the programs, so that their start costs little. */
const COMPILED = join(tmpdir(), "millrace-chaos-compiled");
/** Longest time that one process may take, ms: several times what the slowest needs on a busy machine. */
const PROCESS_MS_MAX = 120_000;

/** What a process said. */
export interface Said {
  /** Programs other than the one of this programme have words of their own. */
  readonly word: Word | (string & {});
  readonly run: string;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly Said[];
  readonly stderr: string;
}

/** How a process is started. */
export interface StartOptions {
  /** Another program than the one of this programme. */
  readonly program?: string;
  /** What comes before node: `["strace", ...]`. */
  readonly under?: readonly string[];
}

/** A process of the programme. */
export class Child {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #said: Said[] = [];
  readonly #waiting: { readonly word: Word; readonly resolve: () => void }[] = [];
  readonly #isTraced: boolean;
  #text = "";
  #stderr = "";

  constructor(job: Job | object, { program = PROGRAM, under = [] }: StartOptions = {}) {
    const node = ["--no-warnings", ...programWords(program), JSON.stringify(job)];
    const [command = "", ...args] = [...under, process.execPath, ...node];
    this.#isTraced = under[0] === "strace";
    this.#child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.ended = this.#wait();
  }

  /** Its own process id; that of the program, not of its tracer. */
  get pid(): number {
    const pid = this.#child.pid ?? 0;
    if (!this.#isTraced) return pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return Number(children.split(" ")[0]);
  }

  /** Runs that it said this word of. */
  runsOf(word: Word): readonly string[] {
    return this.#said.filter((one) => one.word === word).map(({ run }) => run);
  }

  /** Resolves when it has said a word, or has ended. */
  async heard(word: Word): Promise<void> {
    if (this.runsOf(word).length > 0) return;
    const said = new Promise<void>((resolve) => this.#waiting.push({ word, resolve }));
    await Promise.race([said, this.ended]);
  }

  /** Sends a signal; false if it is over. */
  kill(signal: NodeJS.Signals): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
      ? this.#child.kill(signal)
      : false;
  }

  #hear(text: string): void {
    this.#text += text;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const [word = "", run = ""] = line.split(" ");
      this.#said.push({ word, run });
    }
    for (const { word, resolve } of this.#waiting) if (this.runsOf(word).length > 0) resolve();
  }

  #wait(): Promise<Ended> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill("SIGCONT");
        child.kill("SIGKILL");
        reject(new Error(`A process did not end within ${PROCESS_MS_MAX} ms: ${this.#stderr}`));
      }, PROCESS_MS_MAX);
      child.on("error", reject);
      child.on("close", (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal, said: this.#said, stderr: this.#stderr });
      });
    });
  }
}

/** Runs a process to its end. */
export function runChild(job: Job | object, options?: StartOptions): Promise<Ended> {
  return new Child(job, options).ended;
}
