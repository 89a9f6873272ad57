// The context of an attempt in a process of its own: what it says goes to the worker, what only the worker has is
// asked for, and what can be known beforehand was sent along. Secrets of this process alone are redacted here.

import { AbortReason } from "../../../model/context.ts";
import type {
  ArtifactReference,
  Context,
  ContextLog,
  ContextMetrics,
  ContextState,
} from "../../../model/context.ts";
import { MillraceError } from "../../../model/errors.ts";
import type { ResourceUse, UseList } from "../../../model/resource/resource.ts";
import { systemClock } from "../../../std/clock.ts";
import { parseDuration, type Duration } from "../../../std/duration.ts";
import { fromErrorEnvelope, toErrorEnvelope } from "../../../std/error/error-envelope.ts";
import type { Json } from "../../../std/json.ts";
import { redact, redactValue } from "../../../std/redact.ts";
import { decodeValue, type EncodedValue } from "../../../std/value.ts";
import { encodeOrThrow } from "../../run-core.ts";
import type { Answer, IsolatedCall, Order, Report } from "./protocol.ts";

interface Question {
  readonly make: (() => unknown) | null;
  readonly resolve: (answer: Answer) => void;
}

function stateUnreadable(key: string): MillraceError {
  const said = `ctx.state "${key}" holds a value that cannot leave the process it was set in.`;
  const hint = "set plain data; functions and class instances stay where they are";
  return new MillraceError("VALUE_NOT_STORABLE", said, { hint });
}

/** The context of one attempt. */
export class IsolatedContext implements Context {
  readonly #call: IsolatedCall;
  readonly #say: (report: Report) => void;
  readonly #control: AbortController = new AbortController();
  readonly #state: Map<string, EncodedValue | null>;
  readonly #set: Map<string, EncodedValue> = new Map();
  readonly #questions: Map<number, Question> = new Map();
  #lastQuestion: number = 0;

  constructor(call: IsolatedCall, say: (report: Report) => void) {
    this.#call = call;
    this.#say = say;
    this.#state = new Map(call.state.map(({ key, value }) => [key, value]));
  }

  /** Takes what the worker says while the attempt is made. */
  hear(order: Exclude<Order, { readonly kind: "call" }>): void {
    if (order.kind === "abort") {
      this.#control.abort(new AbortReason(order.abort, order.message));
      return;
    }
    const question = this.#questions.get(order.id);
    if (question === undefined) return;
    if (order.kind === "make") {
      void this.#make(order.id, question);
      return;
    }
    this.#questions.delete(order.id);
    question.resolve(order.answer);
  }

  async #make(id: number, { make }: Question): Promise<void> {
    try {
      const value = encodeOrThrow(await make?.(), "a memo");
      this.#say({ kind: "made", id, answer: { kind: "value", value } });
    } catch (error) {
      this.#say({ kind: "made", id, answer: { kind: "threw", error: toErrorEnvelope(error) } });
    }
  }

  #ask(make: Question["make"], toReport: (id: number) => Report): Promise<Answer> {
    const id = ++this.#lastQuestion;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#questions.set(id, { make, resolve });
    this.#say(toReport(id));
    return promise;
  }

  /** What `ctx.state.set` left. */
  get stateSet(): readonly { readonly key: string; readonly value: EncodedValue }[] {
    return [...this.#set].map(([key, value]) => ({ key, value }));
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  get runId(): string {
    return this.#call.runId;
  }

  get stage(): string {
    return this.#call.stage;
  }

  get item(): Context["item"] {
    const { item } = this.#call;
    return item === null ? undefined : { key: item.key, index: item.index };
  }

  get attempt(): number {
    return this.#call.attempt;
  }

  get idempotencyKey(): string {
    return this.#call.idempotencyKey;
  }

  get scheduledFor(): Date | undefined {
    const { scheduled } = this.#call;
    return scheduled === null ? undefined : new Date(scheduled.atMs);
  }

  get intervalStart(): Date | undefined {
    const { scheduled } = this.#call;
    return scheduled === null ? undefined : new Date(scheduled.fromMs);
  }

  get intervalEnd(): Date | undefined {
    return this.scheduledFor;
  }

  now(): number {
    return systemClock.wallMs();
  }

  get log(): ContextLog {
    const say =
      (level: keyof ContextLog) =>
      (message: string, data?: Readonly<Record<string, Json>>): void =>
        this.#say({ kind: "log", level, message: redact(message), data: redactValue(data) });
    return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  }

  progress(done: number, total?: number, note?: string): void {
    this.#say({ kind: "progress", done, total, note: redactValue(note) });
  }

  emit(name: string, data: Readonly<Record<string, Json>> = {}): void {
    this.#say({ kind: "emit", name: redact(name), data: redactValue(data) });
  }

  get metric(): ContextMetrics {
    return {
      set: (name, value) => this.#count(name, { absolute: true, value }),
      increment: (name, by = 1) => this.#count(name, { absolute: false, value: by }),
    };
  }

  #count(name: string, change: { readonly absolute: boolean; readonly value: number }): void {
    if (!Number.isFinite(change.value)) {
      const said = `Metric "${name}" must be a finite number, got ${change.value}.`;
      throw new MillraceError("OPTION_INVALID", said);
    }
    this.#say({ kind: "metric", name, change });
  }

  get state(): ContextState {
    return {
      get: (key: string, fallback?: unknown): never => {
        const text = this.#set.get(key) ?? this.#state.get(key);
        if (text === null) throw stateUnreadable(key);
        // The author says which type was put there.
        return (text === undefined ? fallback : (decodeValue(text) ?? fallback)) as never;
      },
      set: (key, value) => void this.#set.set(key, encodeOrThrow(value, `ctx.state "${key}"`)),
    };
  }

  async memo<T>(name: string, make: () => T | Promise<T>): Promise<T> {
    const answer = await this.#ask(make, (id) => ({ kind: "memo", id, name }));
    if (answer.kind === "threw") throw fromErrorEnvelope(answer.error);
    // The same name gives what the same function gave before.
    return (answer.kind === "value" ? decodeValue(answer.value) : undefined) as T;
  }

  async artifact(name: string, data: Uint8Array | string): Promise<ArtifactReference> {
    const answer = await this.#ask(null, (id) => ({ kind: "artifact", id, name, data }));
    if (answer.kind === "artifact") return answer.reference;
    throw answer.kind === "threw" ? fromErrorEnvelope(answer.error) : new Error("no artifact");
  }

  get dir(): string {
    return this.#call.dir;
  }

  use<T>(uses: ResourceUse | string | UseList): Promise<T> {
    const names = [uses].flat().map((use) => (typeof use === "string" ? use : use.resource));
    const said = `ctx.use of "${names.join('", "')}" cannot be called in a process or thread of its own.`;
    const hint = "name the resource in the `uses` of the stage";
    return Promise.reject(new MillraceError("FEATURE_UNAVAILABLE", said, { hint }));
  }

  async sleep(duration: Duration): Promise<void> {
    const parsed = parseDuration(duration);
    if (!parsed.ok) throw new MillraceError("OPTION_INVALID", `ctx.sleep: ${parsed.error}`);
    await systemClock.sleep(parsed.value, this.signal);
  }
}
