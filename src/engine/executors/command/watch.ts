// The clocks of a running command: a beat at an interval, one word per silent period, and the time that a
// command gets to end by itself after its `doneWhen` line. It decides nothing but that last one.
//
// A line that does not end ("Ready" and then nothing) is read as it stands once nothing has come for a
// moment; reading it earlier would match a pattern's end of line in the middle of a line.

import type { CommandShape } from "../../../model/definition.ts";
import type { Clock, Timer } from "../../../std/clock.ts";
import type { CommandListener, CommandStream } from "./request.ts";

/** What a watch asks of the output. */
export interface WatchedOutput {
  readonly stdoutLines: number;
  readonly stderrLines: number;
  peek(stream: CommandStream, bytesMax: number): string | undefined;
}

/** What a watch works with. */
export interface CommandWatchOptions {
  readonly shape: Pick<CommandShape, "doneWhen" | "doneGraceMs" | "silenceMs" | "progressMs">;
  readonly clock: Clock;
  readonly listener: CommandListener;
  readonly output: WatchedOutput;
  /** The time after a `doneWhen` line is over. */
  readonly onDone: () => void;
}

/** How long a line without an end must stand still to be read as it is. */
const QUIET_MS = 200;
const QUIET_LINE_BYTES_MAX = 1_024;

/** Runs from `start` to `stop`; leaves no timer behind. */
export class CommandWatch {
  readonly #options: CommandWatchOptions;
  readonly #isDoneLine: ((line: string) => boolean) | null;
  readonly #startedMs: number;
  #outputMs: number;
  #hasToldSilence = false;
  #isDone = false;
  #beat: Timer | undefined;
  #silence: Timer | undefined;
  #grace: Timer | undefined;
  readonly #quiet: { stdout?: Timer; stderr?: Timer } = {};
  #isStopped = false;

  constructor(options: CommandWatchOptions) {
    this.#options = options;
    this.#isDoneLine = makeMatcher(options.shape.doneWhen);
    this.#startedMs = options.clock.monotonicMs();
    this.#outputMs = this.#startedMs;
  }

  /** Whether a `doneWhen` line has been seen. */
  get isDone(): boolean {
    return this.#isDone;
  }

  start(): void {
    const { progressMs, silenceMs } = this.#options.shape;
    if (progressMs > 0) this.#armBeat(progressMs);
    if (silenceMs > 0) this.#armSilence(silenceMs);
  }

  /** Safe to repeat. Whatever is noted afterwards is ignored. */
  stop(): void {
    this.#isStopped = true;
    const { stdout, stderr } = this.#quiet;
    for (const timer of [this.#beat, this.#silence, this.#grace, stdout, stderr]) timer?.cancel();
  }

  /** A stream said something, be it a whole line or not. */
  noteOutput(stream: CommandStream): void {
    if (this.#isStopped) return;
    this.#outputMs = this.#options.clock.monotonicMs();
    if (this.#hasToldSilence) {
      this.#hasToldSilence = false;
      this.#armSilence(this.#options.shape.silenceMs);
    }
    if (this.#isDoneLine === null || this.#isDone) return;
    this.#quiet[stream]?.cancel();
    this.#quiet[stream] = this.#options.clock.setTimer(QUIET_MS, () => {
      const line = this.#options.output.peek(stream, QUIET_LINE_BYTES_MAX);
      if (line !== undefined) this.noteLine(line);
    });
  }

  /** A whole line of either stream. */
  noteLine(line: string): void {
    if (this.#isStopped || this.#isDone || this.#isDoneLine?.(line) !== true) return;
    this.#isDone = true;
    const { clock, shape, onDone } = this.#options;
    this.#grace = clock.setTimer(shape.doneGraceMs, onDone);
  }

  #armBeat(progressMs: number): void {
    const { clock, listener, output } = this.#options;
    this.#beat = clock.setTimer(progressMs, () => {
      this.#armBeat(progressMs);
      const elapsedMs = clock.monotonicMs() - this.#startedMs;
      const { stdoutLines, stderrLines } = output;
      listener.onBeat?.({ elapsedMs, stdoutLines, stderrLines });
    });
  }

  // One timer per silent period and not one per line: it looks again how long the silence is.
  #armSilence(delayMs: number): void {
    const { clock, listener, shape } = this.#options;
    this.#silence = clock.setTimer(delayMs, () => {
      const silentMs = clock.monotonicMs() - this.#outputMs;
      if (silentMs < shape.silenceMs) {
        this.#armSilence(shape.silenceMs - silentMs);
        return;
      }
      this.#hasToldSilence = true;
      listener.onSilence?.(silentMs);
    });
  }
}

function makeMatcher(doneWhen: RegExp | string | null): ((line: string) => boolean) | null {
  if (doneWhen === null) return null;
  if (typeof doneWhen === "string") return (line) => line.includes(doneWhen);
  // A copy, since a pattern with the flag g or y remembers where it stopped, and the next line would be
  // read from there.
  const pattern = new RegExp(doneWhen);
  return (line) => {
    pattern.lastIndex = 0;
    return pattern.test(line);
  };
}
