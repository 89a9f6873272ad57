// From signals to the end of a run in this process. Modes: `early`, before the run is in our hands: what comes
// is kept for it; `watching`; `draining`, after the first signal or a closed stream: nothing new starts, running
// work has 20 s; `aborting`, after the second: at once; `dying`, after a third, or 28 s after the first, or 8 s after
// the second: what hangs is no longer waited for. Runs are given back if that takes no longer than a second, and the
// process ends as if nobody had listened. A signal that comes then ends it there.

import { DRAIN_MS_DEFAULT, STOP_MS_DEFAULT } from "../../model/defaults.ts";
import type { Timer } from "../../std/clock.ts";
import type { CliContext, CliSignal, OutStream } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Stopping } from "../render/forms/progress-form.ts";
import { dieOf } from "./terminal.ts";

/** How long a dying process may take to give its runs back, ms. */
const GIVE_BACK_MS = 1_000;

/** What is interrupted. */
export interface Interruptible {
  interrupt(drainMs?: number): Promise<void>;
}

/** The run that signals are about, and who is told. */
export interface InterruptedRun {
  readonly run: Interruptible;
  /** The command that goes on with the run; undefined: nothing is left to go on with. */
  readonly resume: string | undefined;
  readonly onStopping: (stopping: Stopping) => void;
  /** Gives back what is still held, without waiting for what hangs. */
  readonly abandon: () => Promise<void>;
  /** Called before the third signal, or the end of its time, ends the process. */
  readonly onDying: () => void;
}

/** How it listens. */
export interface InterruptionOptions {
  /** Ends the process as the signal does by itself. */
  readonly die?: (signal: CliSignal) => void;
  /** Time that running work has after the first signal, ms. Default 20 s. */
  readonly drainMs?: number;
}

/** Listens until it is closed. */
export class Interruption {
  readonly #context: Pick<CliContext, "onSignal" | "clock" | "stdout" | "stderr">;
  readonly #release: (() => void)[] = [];
  #target: InterruptedRun | undefined;
  #giveUp: () => void = () => {};
  #cause: string | undefined;
  #exitCode: ExitCode = EXIT.interrupted;
  #signals = 0;
  #end: Timer | undefined;
  readonly #die: (signal: CliSignal) => void;
  readonly #drainMs: number;

  constructor(
    context: Pick<CliContext, "onSignal" | "clock" | "stdout" | "stderr">,
    { die = dieOf, drainMs = DRAIN_MS_DEFAULT }: InterruptionOptions = {},
  ) {
    this.#context = context;
    this.#die = die;
    this.#drainMs = drainMs;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      this.#release.push(context.onSignal(signal, () => this.#onSignal(signal)));
    }
    for (const name of ["stdout", "stderr"] as const) {
      this.#release.push(onClosed(context[name], () => this.#drain(`${name} closed`)));
    }
  }

  /** Ends what may last before the run is there: the wait for a place. */
  beforeRun(giveUp: () => void): void {
    this.#giveUp = giveUp;
    if (this.#cause !== undefined) giveUp();
  }

  /** The run is there: what came before is answered now. */
  attach(target: InterruptedRun): void {
    this.#target = target;
    if (this.#cause !== undefined) this.#stop(this.#cause, this.#drainMs);
  }

  /** What the process ends with where the run was parked; undefined: nothing interrupted it. */
  get exitCode(): ExitCode | undefined {
    return this.#cause === undefined ? undefined : this.#exitCode;
  }

  /** Safe to repeat. */
  close(): void {
    this.#end?.cancel();
    for (const release of this.#release.splice(0)) release();
  }

  #onSignal(signal: CliSignal): void {
    this.#signals += 1;
    if (this.#signals === 1) {
      this.#exitCode = signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
      this.#drain(signal);
    } else if (this.#signals === 2 && this.#target !== undefined) {
      this.#stop(signal, 0);
    } else {
      this.#dieOf(signal);
    }
  }

  #dieOf(signal: CliSignal): void {
    this.close();
    const target = this.#target;
    if (target === undefined) return this.#die(signal);
    target.onDying();
    const timeUp = Promise.withResolvers<void>();
    const timer = this.#context.clock.setTimer(GIVE_BACK_MS, timeUp.resolve);
    // What cannot be given back is found by others, who see that its process is gone.
    void Promise.race([target.abandon().catch(() => undefined), timeUp.promise]).then(() => {
      timer.cancel();
      this.#die(signal);
    });
  }

  /** Time for whatever listens, for the grace of what does not, and for the last commits. */
  #endAfter(drainMs: number): void {
    const afterMs = STOP_MS_DEFAULT - DRAIN_MS_DEFAULT + drainMs;
    this.#end?.cancel();
    this.#end = this.#context.clock.setTimer(afterMs, () =>
      this.#dieOf(this.#exitCode === EXIT.interrupted ? "SIGINT" : "SIGTERM"),
    );
  }

  #drain(cause: string): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#stop(cause, this.#drainMs);
  }

  #stop(cause: string, drainMs: number): void {
    this.#endAfter(drainMs);
    if (this.#target === undefined) return this.#giveUp();
    const { run, resume, onStopping } = this.#target;
    onStopping({ cause, resume, abortAtMs: this.#context.clock.wallMs() + drainMs });
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
