// Makes one attempt in a process of its own, and answers for it here: what it says is said by the attempt, what it
// asks is answered, and its end is that of the attempt. A process that ends without a result has crashed.

import { isRecord } from "../../../std/record.ts";
import { skip } from "../../../model/outcome.ts";
import { fromErrorEnvelope, toErrorEnvelope } from "../../../std/error-envelope.ts";
import { boundedText, type Json } from "../../../std/json.ts";
import { decodeValue } from "../../../std/value.ts";
import type { Attempt } from "../../attempt/attempt.ts";
import type { EngineWorld } from "../../ports.ts";
import { encodeOrThrow } from "../../run-core.ts";
import { IsolatedProcess, type IsolatedExit } from "./isolated-process.ts";
import type { Answer, IsolatedCall, Report } from "./protocol.ts";

/** A process that died with its attempt. */
export class IsolatedCrash extends Error {
  readonly millraceClass = "crash" as const;
  readonly code: string;

  constructor({ exitCode, signal }: IsolatedExit) {
    super(
      signal === null
        ? `the process exited with code ${exitCode ?? "?"} before there was a result`
        : `the process was killed by ${signal}`,
    );
    this.name = "IsolatedCrash";
    this.code = signal ?? `exit ${exitCode ?? "?"}`;
  }
}

/** The stage cannot be called in another process. */
export class Unavailable extends Error {}

/** Of the grace of an aborted attempt, what its process has: the rest is for ending it. */
const GRACE_SHARE = 0.8;

const TAIL_LINE_CHARS_MAX = 500;

/** What is called. */
export interface IsolatedWork {
  readonly call: IsolatedCall;
  /** Told when the code of the stage is called. */
  readonly begun: () => void;
}

/** How long a process may take to import its module, ms. */
const START_MS_MAX = 30_000;

/** Resolves with the result once nothing of the process is left. Rejects with what the stage threw, the reason of an
 *  abort, IsolatedCrash, or Unavailable. */
export async function callIsolated(
  world: EngineWorld,
  attempt: Attempt,
  what: IsolatedWork,
): Promise<unknown> {
  return await new RunningCall(world, attempt, what).run();
}

type End = Extract<Report, { kind: "returned" | "skipped" | "threw" | "unavailable" }>;

class RunningCall {
  readonly #world: EngineWorld;
  readonly #attempt: Attempt;
  readonly #work: IsolatedWork;
  readonly #process: IsolatedProcess;
  readonly #made: Map<number, (answer: Answer) => void> = new Map();
  #hasBegun: boolean = false;
  #end: End | null = null;
  #fault: { readonly error: unknown } | null = null;

  constructor(world: EngineWorld, attempt: Attempt, work: IsolatedWork) {
    this.#world = world;
    this.#attempt = attempt;
    this.#work = work;
    this.#process = new IsolatedProcess({
      clock: world.clock,
      imports: world.childImports ?? [],
      path: world.environment["PATH"],
      onReport: (report) => this.#hear(report),
    });
  }

  async run(): Promise<unknown> {
    const { signal } = this.#attempt;
    const kill = (): void => this.#process.kill();
    let killAt: { cancel(): void } | null = null;
    const abort = (): void => {
      const reason = this.#attempt.abortReason;
      const { kind = "user-cancel", message = "" } = reason ?? {};
      this.#process.tell({ kind: "abort", abort: kind, message });
      killAt = this.#world.clock.setTimer(this.#world.graceMs * GRACE_SHARE, kill);
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    this.#process.tell({ kind: "call", call: this.#work.call });
    const tooLate = this.#world.clock.setTimer(START_MS_MAX, () => {
      if (!this.#hasBegun) kill();
    });
    const exit = await this.#process.over;
    tooLate.cancel();
    signal.removeEventListener("abort", abort);
    // Set by a callback, which the compiler does not see.
    (killAt as { cancel(): void } | null)?.cancel();
    this.#tellTail();
    return this.#conclude(exit);
  }

  /** The last lines of both streams, so that `show` has them after the process is gone. */
  #tellTail(): void {
    const cut = (lines: readonly string[]): Json =>
      lines.map((line) => boundedText(line, TAIL_LINE_CHARS_MAX));
    const [stdout, stderr] = [this.#process.tail("stdout"), this.#process.tail("stderr")];
    if (stdout.length + stderr.length === 0) return;
    const level = this.#end === null ? "error" : "info";
    this.#attempt.log[level]("output of its process", { stdout: cut(stdout), stderr: cut(stderr) });
  }

  #conclude(exit: IsolatedExit): unknown {
    if (this.#fault !== null) throw this.#fault.error;
    const end = this.#end;
    if (end === null) {
      if (this.#attempt.abortReason !== null) throw this.#attempt.abortReason;
      const crash = new IsolatedCrash(exit);
      throw this.#hasBegun ? crash : new Unavailable(crash.message);
    }
    switch (end.kind) {
      case "returned":
        for (const { key, value } of end.state) this.#attempt.state.set(key, decodeValue(value));
        return decodeValue(end.value);
      case "skipped":
        return skip(end.reason);
      case "threw":
        throw fromErrorEnvelope(end.error);
      case "unavailable":
        throw new Unavailable(end.reason);
    }
  }

  #hear(report: Report): void {
    try {
      this.#take(report);
    } catch (error) {
      this.#fault ??= { error };
      this.#process.kill();
    }
  }

  #take(report: Report): void {
    const attempt = this.#attempt;
    switch (report.kind) {
      case "begun":
        this.#hasBegun = true;
        this.#work.begun();
        return;
      case "log":
        attempt.log[report.level](report.message, report.data);
        return;
      case "progress":
        attempt.progress(report.done, report.total, report.note);
        return;
      case "emit":
        attempt.emit(report.name, report.data);
        return;
      case "metric":
        this.#count(report);
        return;
      case "memo":
        void this.#answer(report.id, () => this.#memo(report));
        return;
      case "made":
        this.#made.get(report.id)?.(report.answer);
        this.#made.delete(report.id);
        return;
      case "artifact":
        void this.#answer(report.id, async () => ({
          kind: "artifact",
          reference: await attempt.artifact(report.name, report.data),
        }));
        return;
      default:
        this.#end ??= report;
        this.#process.kill();
    }
  }

  #count({ name, change }: Extract<Report, { kind: "metric" }>): void {
    if (change.absolute) this.#attempt.metric.set(name, change.value);
    else this.#attempt.metric.increment(name, change.value);
  }

  async #memo({ id, name }: Extract<Report, { kind: "memo" }>): Promise<Answer> {
    const value = await this.#attempt.memo(name, async () => {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      this.#made.set(id, resolve);
      this.#process.tell({ kind: "make", id });
      const answer = await promise;
      if (answer.kind === "threw") throw fromErrorEnvelope(answer.error);
      return answer.kind === "value" ? decodeValue(answer.value) : undefined;
    });
    return { kind: "value", value: encodeOrThrow(value, `memo "${name}"`) };
  }

  async #answer(id: number, make: () => Promise<Answer>): Promise<void> {
    let answer: Answer;
    try {
      answer = await make();
    } catch (error) {
      answer = { kind: "threw", error: toErrorEnvelope(error) };
    }
    this.#process.tell({ kind: "answer", id, answer });
  }
}

/** True for a process that died, also one that another copy of the package tells of. */
export function isCrash(error: unknown): error is IsolatedCrash {
  return isRecord(error) && error["name"] === "IsolatedCrash";
}
