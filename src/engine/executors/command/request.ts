// What the engine asks of a command stage, what it hears meanwhile, and what it gets back. Types only; the
// deed is `../subprocess.ts`.

import type { CommandShape } from "../../../model/definition.ts";
import type { Clock } from "../../../std/clock.ts";

/** One of the two streams a command writes. */
export type CommandStream = "stdout" | "stderr";

/** How far a command says it is. */
export interface CommandProgress {
  /** In any unit, from 0. */
  readonly done: number;
  /** In the unit of `done`; absent: not known. */
  readonly total?: number;
  /** At most 500 characters. */
  readonly note?: string;
}

/** What a running command tells at an interval. */
export interface CommandBeat {
  readonly elapsedMs: number;
  /** Lines so far, progress lines included. */
  readonly stdoutLines: number;
  readonly stderrLines: number;
}

/** Hears of a running command. Whatever one of these throws ends the command and rejects `runCommand`. */
export interface CommandListener {
  /** One line without its end, at most 64 KiB and then a mark; progress lines are left out. */
  onLine?(stream: CommandStream, line: string): void;
  /** A line `{"millrace":"progress","done":3,"total":10,"note":"..."}` on stdout. */
  onProgress?(progress: CommandProgress): void;
  /** Every `progressMs` while the command runs. */
  onBeat?(beat: CommandBeat): void;
  /** Once per silent period, `silenceMs` after the last byte of either stream. */
  onSilence?(silentMs: number): void;
}

/** One attempt of a command stage. */
export interface CommandRequest {
  readonly shape: CommandShape;
  /** Handed to the author's functions for argv, stdin, env and cwd. */
  readonly needs: unknown;
  /** When aborted, the whole process group is ended and the result carries the signal's reason. */
  readonly signal: AbortSignal;
  readonly runId: string;
  readonly stage: string;
  /** From 1. */
  readonly attempt: number;
  readonly clock: Clock;
  /** Time between TERM and KILL. Default 5 s. */
  readonly graceMs?: number;
  /** The variables that the basic ones and `passEnv` are taken from; nothing else of it is passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly listener: CommandListener;
}

/** What is known of an attempt however it ended. */
export interface CommandUsage {
  /** Processor time of the process tree, sampled: at least this much. Linux only. */
  readonly cpuMs?: number;
  /** Peak memory of the process tree, sampled: at least this much, shared pages counted twice. Linux only. */
  readonly peakBytes?: number;
  /** The last 100 lines, oldest first; progress lines are left out. */
  readonly stdoutTail: readonly string[];
  readonly stderrTail: readonly string[];
  /** Null: never started, ended by a signal, or not known. */
  readonly exitCode: number | null;
  /** `done`: ended by us after its `doneWhen` line. `signal`: ended by a signal, whoever sent it. */
  readonly endedBy?: "done" | "signal";
}

/** How an attempt ended. `error` carries `exitCode`, `signal` or `code` for the classes of failure. */
export type CommandResult = (
  | { readonly kind: "succeeded"; readonly output: unknown }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: Error }
) &
  CommandUsage;

/** How the direct child ended, as the platform tells it. */
export interface CommandExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}
