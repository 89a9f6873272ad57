// The contract of every form of stderr: told what happened, it writes what its readers need. Each form reads
// the one picture of the run and keeps only what it must to say nothing twice.

import type { Clock } from "../../../std/clock.ts";
import type { Closing } from "../closing/closing.ts";
import type { Look } from "../look.ts";
import type { Applied, Progress } from "../progress/progress.ts";

/** Which lines of `ctx.log` and of commands are shown: all as they come, those of what failed, or none. */
export type LogsShown = "all" | "failed" | "none";

/** What every form is made from. */
export interface FormOptions {
  readonly progress: Progress;
  readonly look: Look;
  readonly clock: Clock;
  readonly logs: LogsShown;
  /** Writes text as it is, in order. Never throws. */
  readonly write: (text: string) => void;
}

/** An interruption under way. */
export interface Stopping {
  /** What was received, or why otherwise: `SIGINT`, `stdout closed`. */
  readonly cause: string;
  /** When running work is aborted, UTC ms; in the past: at once. */
  readonly abortAtMs: number;
  /** The command that goes on with the run; undefined: its store does not outlive the process. */
  readonly resume: string | undefined;
}

/** Something the command itself has to say about the run, such as what a resume keeps. */
export interface Remark {
  readonly text: string;
  /** `warning`: people should look. */
  readonly level: "info" | "warning";
}

/** One form of stderr for one run. Calls come in this order; nothing is written after `finish` or `abandon`. */
export interface ProgressForm {
  /** Says what begins. */
  begin(): void;
  /** Says what an event told; the picture has it already. */
  tell(applied: Applied): void;
  /** Earlier runs were read: the picture has a forecast from now on. */
  foresee(): void;
  remark(remark: Remark): void;
  /** Called again when the second signal shortens the wait. */
  stopping(stopping: Stopping): void;
  /** Says how it ended and gives back the terminal. */
  finish(closing: Closing): void;
  /** Gives back the terminal without a word. Safe to repeat, and after `finish`. */
  abandon(): void;
}
