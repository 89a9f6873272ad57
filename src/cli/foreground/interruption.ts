// From signals to the end of a run in this process. Modes: `watching`; `draining`, after the first signal or a
// closed stdout: nothing new starts, running work has 20 s; `aborting`, after the second: at once. A third
// signal ends the process as if nobody had listened.

import { DRAIN_MS_DEFAULT } from "../../model/defaults.ts";
import type { Clock } from "../../std/clock.ts";
import type { CliContext, CliSignal, OutStream } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Stopping } from "../render/forms/progress-form.ts";
import { dieOf } from "./terminal.ts";

/** What can be interrupted. */
export interface Interruptible {
  interrupt(drainMs?: number): Promise<void>;
}

/** What an interruption needs. */
export interface InterruptionOptions {
  readonly context: Pick<CliContext, "onSignal" | "clock" | "stdout" | "stderr">;
  readonly run: Interruptible;
  /** The command that goes on with the run; undefined: nothing is left to go on with. */
  readonly resume: string | undefined;
  readonly onStopping: (stopping: Stopping) => void;
  /** Called before the third signal ends the process. */
  readonly onDying: () => void;
}

/** Listens until it is closed. */
export class Interruption {
  readonly #options: InterruptionOptions;
  readonly #clock: Clock;
  readonly #release: (() => void)[] = [];
  #cause: string | undefined;
  #exitCode: ExitCode = EXIT.interrupted;
  #count = 0;

  constructor(options: InterruptionOptions) {
    this.#options = options;
    const { context } = options;
    this.#clock = context.clock;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      this.#release.push(context.onSignal(signal, () => this.#onSignal(signal)));
    }
    for (const [stream, name] of [
      [context.stdout, "stdout"],
      [context.stderr, "stderr"],
    ] as const) {
      this.#release.push(onClosed(stream, () => this.#drain(`${name} closed`)));
    }
  }

  /** What the process ends with where the run was parked; undefined: nothing interrupted it. */
  get exitCode(): ExitCode | undefined {
    return this.#cause === undefined ? undefined : this.#exitCode;
  }

  /** Safe to repeat. */
  close(): void {
    for (const release of this.#release.splice(0)) release();
  }

  #onSignal(signal: CliSignal): void {
    this.#count += 1;
    if (this.#count === 1) {
      this.#exitCode = signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
      this.#drain(signal);
    } else if (this.#count === 2) {
      this.#stop(signal, 0);
    } else {
      this.#options.onDying();
      this.close();
      dieOf(signal);
    }
  }

  #drain(cause: string): void {
    if (this.#cause === undefined) this.#stop(cause, DRAIN_MS_DEFAULT);
  }

  #stop(cause: string, drainMs: number): void {
    this.#cause ??= cause;
    const { run, resume, onStopping } = this.#options;
    onStopping({ cause, resume, abortAtMs: this.#clock.wallMs() + drainMs });
    // What goes wrong here is told by the run's own result.
    run.interrupt(drainMs).catch(() => undefined);
  }
}

function onClosed(stream: OutStream, listener: () => void): () => void {
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === "EPIPE") listener();
  };
  stream.on("error", onError);
  return () => {
    stream.off("error", onError);
  };
}
