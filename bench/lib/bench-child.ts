// A process that is measured, seen from the one that measures: lines of JSON go both ways. A line that says `figures`
// is kept; any other is waited for by what it says.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { ProcessFigures } from "./process-figures.ts";

/** One process. End it. */
export class BenchChild {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: Map<string, Record<string, unknown>> = new Map();
  readonly #exited: Promise<unknown>;
  #heard: () => void = () => undefined;
  #figures: ProcessFigures[] = [];
  #isOver = false;

  /** `file` is one of this folder. */
  constructor(file: string, words: readonly string[]) {
    const args = [...process.execArgv, join(import.meta.dirname, file), ...words];
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#exited = once(this.#child, "exit").then(() => {
      this.#isOver = true;
      this.#heard();
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#hear(line));
  }

  /** Waits for the line that says this. */
  async next(kind: string): Promise<Record<string, unknown>> {
    for (;;) {
      const said = this.#said.get(kind);
      this.#said.delete(kind);
      if (said !== undefined) return said;
      if (this.#isOver) throw new Error(`The process ended before it said "${kind}".`);
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  say(line: object): void {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`);
  }

  /** What it has told of itself since the last call. */
  takeFigures(): readonly ProcessFigures[] {
    const figures = this.#figures;
    this.#figures = [];
    return figures;
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }

  #hear(line: string): void {
    const said: Record<string, unknown> = JSON.parse(line);
    const { kind } = said;
    if (kind === "figures") {
      const { rssMb, heapMb, cpuShare, loopMsMax } = said;
      this.#figures.push({
        rssMb: Number(rssMb),
        heapMb: Number(heapMb),
        cpuShare: Number(cpuShare),
        loopMsMax: Number(loopMsMax),
      });
      return;
    }
    this.#said.set(String(kind), said);
    this.#heard();
  }
}
