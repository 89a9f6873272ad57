// A process of its own for one attempt, in a group of its own: started, spoken with, and ended whole. Nothing of it
// is left when `over` resolves, and a guard ends it when this process dies first.

import { fork, type ChildProcess } from "node:child_process";
import type { Clock } from "../../../std/clock.ts";
import { CommandOutput } from "../command/output.ts";
import { startOrphanGuard, type OrphanGuard } from "../command/orphan-guard.ts";
import { IsolatedCrash, type FarSide } from "./far-side.ts";
import type { Order, Report } from "./protocol.ts";

/** How a process is started. */
export interface IsolatedProcessOptions {
  readonly clock: Clock;
  /** Modules that it imports first. */
  readonly imports: readonly string[];
  /** Where the guard finds its programs. */
  readonly path: string | undefined;
  readonly onReport: (report: Report) => void;
}

interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

// In a build both files lie in one folder as well.
const PROGRAM: URL = new URL(
  import.meta.url.endsWith(".ts") ? "./isolated-child.ts" : "./isolated-child.js",
  import.meta.url,
);

/** How long what it printed last may take to come through, ms. */
const LAST_OUTPUT_MS_MAX = 200;

/** One process. */
export class IsolatedProcess implements FarSide {
  readonly #child: ChildProcess;
  readonly #guard: OrphanGuard;
  readonly #output: CommandOutput = new CommandOutput({
    isGathered: false,
    onLine: () => {},
    onProgress: () => {},
    onOverflow: () => {},
  });
  /** Resolves when it is gone, and its group with it. Never rejects. */
  readonly over: Promise<IsolatedCrash>;

  constructor(options: IsolatedProcessOptions) {
    this.#guard = startOrphanGuard({ graceMs: 0, path: options.path });
    this.#child = fork(PROGRAM, {
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [...keepFlags(process.execArgv), ...options.imports.flatMap(toImportFlag)],
    });
    const child = this.#child;
    if (child.pid !== undefined) this.#guard.watch(child.pid);
    // What crosses has no type; both sides are ours and of one version.
    child.on("message", (message) => options.onReport(message as Report));
    child.stdout?.on("data", (chunk: Buffer) => this.#output.push("stdout", chunk));
    child.stderr?.on("data", (chunk: Buffer) => this.#output.push("stderr", chunk));
    this.over = this.#untilOver(options.clock);
  }

  tell(order: Order): void {
    // One that is gone hears nothing, and its end tells the rest.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  /** The last lines that it printed, as far as they came. */
  tail(stream: "stdout" | "stderr"): readonly string[] {
    return this.#output.tail(stream);
  }

  /** It alone does not end. */
  finish(): void {
    this.kill();
  }

  /** Ends it and whatever it started. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      // Nobody of it is left.
    }
  }

  async #untilOver(clock: Clock): Promise<IsolatedCrash> {
    const child = this.#child;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    const closed = Promise.withResolvers<void>();
    child.once("error", () => resolve({ exitCode: null, signal: null }));
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    child.once("close", () => closed.resolve());
    const exit = await promise;
    // What it has started dies with it.
    this.kill();
    const timer = clock.setTimer(LAST_OUTPUT_MS_MAX, () => closed.resolve());
    await closed.promise;
    timer.cancel();
    child.stdout?.destroy();
    child.stderr?.destroy();
    this.#output.end();
    await this.#guard.release();
    return toCrash(exit);
  }
}

function toCrash({ exitCode, signal }: Exit): IsolatedCrash {
  const message =
    signal === null
      ? `the process exited with code ${exitCode ?? "?"} before there was a result`
      : `the process was killed by ${signal}`;
  return new IsolatedCrash("process", { message, code: signal ?? `exit ${exitCode ?? "?"}` });
}

function toImportFlag(module: string): readonly string[] {
  return ["--import", module];
}

const FLAGS_WITH_CODE: ReadonlySet<string> = new Set(["-e", "--eval", "-p", "--print", "-pe"]);

/** Flags that say how modules are found and run, and not what is run. */
function keepFlags(flags: readonly string[]): readonly string[] {
  return flags.filter(
    (flag, index) =>
      !FLAGS_WITH_CODE.has(flag) &&
      !FLAGS_WITH_CODE.has(flags[index - 1] ?? "") &&
      !/^--(?:inspect|input-type|watch|test)/.test(flag),
  );
}
