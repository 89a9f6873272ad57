// Answers here for an attempt that is made apart: what it says is said by the attempt, what it asks is answered, and
// its end is that of the attempt. A far side that ends without a result has crashed.

import { skip } from "../../../model/outcome.ts";
import { markMillraceError } from "../../../model/errors.ts";
import {
  fromErrorEnvelope,
  toErrorEnvelope,
  type ErrorEnvelope,
} from "../../../std/error/error-envelope.ts";
import { boundedText, type Json } from "../../../std/json.ts";
import { decodeValue } from "../../../std/value.ts";
import type { Attempt } from "../../attempt/attempt.ts";
import type { EngineWorld } from "../../ports.ts";
import { encodeOrThrow } from "../../run-core.ts";
import { Unavailable, type FarSide, type IsolatedCrash, type OpenFarSide } from "./far-side.ts";
import type { Answer, Report } from "./protocol.ts";

/** Of the grace of an aborted attempt, what its far side has: the rest is for ending it. */
const GRACE_SHARE = 0.8;

const TAIL_LINE_CHARS_MAX = 500;

/** What answers for a call. */
export interface RemoteWork {
  readonly open: OpenFarSide;
  /** Told when the code of the stage is called. */
  readonly begun: () => void;
}

type End = Extract<Report, { kind: "returned" | "skipped" | "threw" | "unavailable" }>;

/** One attempt that is made apart. */
export class RemoteCall {
  readonly #world: EngineWorld;
  readonly #attempt: Attempt;
  readonly #begun: () => void;
  readonly #far: FarSide;
  readonly #made: Map<number, (answer: Answer) => void> = new Map();
  #hasBegun: boolean = false;
  #end: End | null = null;
  #fault: { readonly error: unknown } | null = null;

  constructor(world: EngineWorld, attempt: Attempt, { open, begun }: RemoteWork) {
    this.#world = world;
    this.#attempt = attempt;
    this.#begun = begun;
    this.#far = open((report) => this.#hear(report));
  }

  /** Resolves with the result once nothing of the far side works any more. Rejects with what the stage threw, the
   *  reason of an abort, IsolatedCrash, or Unavailable. */
  async run(): Promise<unknown> {
    const { signal } = this.#attempt;
    const kill = (): void => this.#far.kill();
    let killAt: { cancel(): void } | null = null;
    const abort = (): void => {
      // Where no code of the author's was called there is nothing that needs a grace.
      if (!this.#hasBegun) return kill();
      const reason = this.#attempt.abortReason;
      const { kind = "user-cancel", message = "" } = reason ?? {};
      this.#far.tell({ kind: "abort", abort: kind, message });
      killAt = this.#world.clock.setTimer(this.#world.graceMs * GRACE_SHARE, kill);
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const crash = await this.#far.over;
    signal.removeEventListener("abort", abort);
    // Set by a callback, which the compiler does not see.
    (killAt as { cancel(): void } | null)?.cancel();
    this.#tellTail();
    return this.#conclude(crash);
  }

  /** The last lines of both streams, so that `show` has them after the process is gone. */
  #tellTail(): void {
    const cut = (lines: readonly string[]): Json =>
      lines.map((line) => boundedText(line, TAIL_LINE_CHARS_MAX));
    const [stdout, stderr] = [this.#far.tail("stdout"), this.#far.tail("stderr")];
    if (stdout.length + stderr.length === 0) return;
    const level = this.#end === null ? "error" : "info";
    this.#attempt.log[level]("output of its process", { stdout: cut(stdout), stderr: cut(stderr) });
  }

  #conclude(crash: IsolatedCrash | null): unknown {
    if (this.#fault !== null) throw this.#fault.error;
    const end = this.#end;
    if (end === null) {
      if (this.#attempt.abortReason !== null) throw this.#attempt.abortReason;
      if (crash === null) throw new Unavailable("it ended without a word");
      throw this.#hasBegun ? crash : new Unavailable(crash.message);
    }
    switch (end.kind) {
      case "returned":
        for (const { key, value } of end.state) this.#attempt.state.set(key, decodeValue(value));
        return decodeValue(end.value);
      case "skipped":
        return skip(end.reason);
      case "threw":
        throw reviveError(end.error);
      case "unavailable":
        throw new Unavailable(end.reason);
    }
  }

  #hear(report: Report): void {
    try {
      this.#take(report);
    } catch (error) {
      this.#fault ??= { error };
      this.#far.kill();
    }
  }

  #take(report: Report): void {
    const attempt = this.#attempt;
    switch (report.kind) {
      case "begun":
        this.#hasBegun = true;
        this.#begun();
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
        this.#far.finish();
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
      this.#far.tell({ kind: "make", id });
      const answer = await promise;
      if (answer.kind === "threw") throw reviveError(answer.error);
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
    this.#far.tell({ kind: "answer", id, answer });
  }
}

/** What was thrown over there; a fault of ours is one of ours again. */
function reviveError(envelope: ErrorEnvelope): Error {
  return markMillraceError(fromErrorEnvelope(envelope));
}
