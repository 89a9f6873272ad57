// One command from its start to the moment when nothing of it is left. In order:
//
//   running   until the child exits, or the first of our reasons to end it: abort, `doneWhen`, too much output
//   draining  the child has exited, and a grandchild may still hold its pipes: a second, no more
//   ending    TERM, grace, KILL to whatever still runs in the group (not after a clean end: nothing does)
//   over      streams closed, timers and listeners gone, the attempt judged
//
// The first reason counts; what comes later is ignored. A command that ended by itself leaves nothing behind
// in its group either: what must outlive its stage needs a session of its own.

import type { Readable } from "node:stream";
import { ABORT_GRACE_MS_DEFAULT } from "../../../model/defaults.ts";
import type { Clock } from "../../../std/clock.ts";
import { type CommandEnd, decideEndedBy, judgeCommand, type SeenCommand } from "./outcome.ts";
import { CommandOutput } from "./output.ts";
import { endGroup, type GroupLeader, isGroupRunning } from "./process-group.ts";
import { ProcessTree } from "./process-tree.ts";
import type {
  CommandExit,
  CommandListener,
  CommandRequest,
  CommandResult,
  CommandStream,
} from "./request.ts";
import { CommandWatch } from "./watch.ts";

/** A child that has been started. */
export interface StartedChild extends GroupLeader {
  readonly program: string;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the direct child has gone and was collected; never rejects. */
  readonly exited: Promise<CommandExit>;
  /** Lets go of the pipes, whoever else holds them. */
  closeStreams(): void;
}

/** How long the pipes may stay open after the child has gone, and again after its group has. */
const OPEN_PIPES_MS_MAX = 1_000;

/** Runs once. */
export class RunningCommand {
  readonly #child: StartedChild;
  readonly #request: CommandRequest;
  readonly #output: CommandOutput;
  readonly #watch: CommandWatch;
  readonly #tree: ProcessTree;
  readonly #stopped = Promise.withResolvers<void>();
  #end: CommandEnd | undefined;
  #fault: { readonly thrown: unknown } | undefined;

  constructor(child: StartedChild, request: CommandRequest) {
    const { clock, shape } = request;
    this.#child = child;
    this.#request = request;
    this.#tree = new ProcessTree(child.pid, clock);
    const listener = this.#guard(request.listener);
    this.#output = new CommandOutput({
      isGathered: shape.parse !== "none",
      onLine: (stream, line) => {
        this.#watch.noteLine(line);
        listener.onLine?.(stream, line);
      },
      onProgress: (progress) => listener.onProgress?.(progress),
      onOverflow: () => this.#stop({ kind: "overflown" }),
    });
    this.#watch = new CommandWatch({
      shape,
      clock,
      listener,
      output: this.#output,
      onDone: () => this.#stop({ kind: "done" }),
    });
  }

  /** Resolves when nothing of the command is left. Rejects only with what the listener threw. */
  async run(): Promise<CommandResult> {
    const { clock, signal } = this.#request;
    const onAbort = (): void => this.#stop({ kind: "aborted", reason: signal.reason });
    signal.addEventListener("abort", onAbort, { once: true });
    // By one of the author's functions, which were asked since anybody looked.
    if (signal.aborted) onAbort();
    const closed = Promise.all([this.#listen("stdout"), this.#listen("stderr")]);
    this.#watch.start();
    this.#tree.start();
    const end = await this.#untilOver(closed);
    signal.removeEventListener("abort", onAbort);
    this.#watch.stop();
    this.#tree.stop();
    await this.#endGroup(end);
    await isSettledWithin(closed, OPEN_PIPES_MS_MAX, clock);
    this.#child.closeStreams();
    this.#output.end();
    const exit = await this.#readExit();
    if (this.#fault !== undefined) throw this.#fault.thrown;
    return this.#report(end, exit);
  }

  #listen(stream: CommandStream): Promise<void> {
    const readable = this.#child[stream];
    readable.on("data", (chunk: Buffer) => {
      this.#output.push(stream, chunk);
      this.#watch.noteOutput(stream);
    });
    // The child is about to go, or is waiting to be collected: a look now is the last good one.
    readable.once("end", () => this.#tree.sample());
    return new Promise((resolve) => {
      readable.once("close", () => resolve());
    });
  }

  async #untilOver(closed: Promise<unknown>): Promise<CommandEnd> {
    const stopped = this.#stopped.promise;
    await Promise.race([this.#child.exited, stopped]);
    const drained = Promise.race([closed, stopped]);
    if (this.#end === undefined) {
      await isSettledWithin(drained, OPEN_PIPES_MS_MAX, this.#request.clock);
    }
    this.#end ??= { kind: "exited" };
    return this.#end;
  }

  /** The first call counts. */
  #stop(end: CommandEnd): void {
    this.#end ??= end;
    this.#stopped.resolve();
  }

  async #endGroup(end: CommandEnd): Promise<void> {
    const { clock, graceMs = ABORT_GRACE_MS_DEFAULT } = this.#request;
    const hasEndedItself = end.kind === "exited";
    if (hasEndedItself && !isGroupRunning(this.#child)) return;
    // What left the group of a command that ended by itself was meant to.
    const reach = hasEndedItself ? {} : { tree: this.#tree };
    await endGroup(this.#child, { clock, graceMs, ...reach });
  }

  async #readExit(): Promise<CommandExit> {
    const { clock } = this.#request;
    const hasExited = await isSettledWithin(this.#child.exited, OPEN_PIPES_MS_MAX, clock);
    return hasExited ? this.#child.exited : { exitCode: null, signal: null };
  }

  #report(end: CommandEnd, exit: CommandExit): CommandResult {
    const output = this.#output;
    const { program } = this.#child;
    const { shape } = this.#request;
    const seen: SeenCommand = { program, shape, end, isDone: this.#watch.isDone, exit, output };
    return {
      ...judgeCommand(seen),
      ...this.#tree.usage,
      stdoutTail: output.tail("stdout"),
      stderrTail: output.tail("stderr"),
      exitCode: exit.exitCode,
      ...decideEndedBy(seen),
    };
  }

  /** A listener that throws is a fault of the engine: the command is ended in good order, then it is told. */
  #guard(listener: CommandListener): Required<CommandListener> {
    const call = (tell: () => void): void => {
      if (this.#fault !== undefined) return;
      try {
        tell();
      } catch (thrown) {
        this.#fault = { thrown };
        this.#stop({ kind: "aborted", reason: thrown });
      }
    };
    return {
      onLine: (stream, line) => call(() => listener.onLine?.(stream, line)),
      onProgress: (progress) => call(() => listener.onProgress?.(progress)),
      onBeat: (beat) => call(() => listener.onBeat?.(beat)),
      onSilence: (silentMs) => call(() => listener.onSilence?.(silentMs)),
    };
  }
}

/** Whether a promise settles in time; leaves no timer behind. It must never reject. */
function isSettledWithin(
  promise: Promise<unknown>,
  timeMs: number,
  clock: Clock,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(timeMs, () => resolve(false));
    void promise.then(() => {
      timer.cancel();
      resolve(true);
    });
  });
}
