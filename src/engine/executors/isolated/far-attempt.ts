// The far side of an attempt, from within: imports the pipeline's module, looks the stage up by name, calls it once,
// and says what it gave.

import type { StageDefinition } from "../../../model/definition.ts";
import { isSkip } from "../../../model/outcome.ts";
import { toErrorEnvelope } from "../../../std/error/error-envelope.ts";
import { redact } from "../../../std/redact.ts";
import { decodeValue } from "../../../std/value.ts";
import { encodeOrThrow } from "../../run-core.ts";
import { findStageFunction } from "./find-stage.ts";
import { IsolatedContext } from "./isolated-context.ts";
import type { IsolatedCall, Order, Report } from "./protocol.ts";

/** One attempt. */
export class FarAttempt {
  readonly #call: IsolatedCall;
  readonly #say: (report: Report) => void;
  readonly #context: IsolatedContext;

  constructor(call: IsolatedCall, say: (report: Report) => void) {
    this.#call = call;
    this.#say = say;
    this.#context = new IsolatedContext(call, say);
  }

  /** Takes what the worker says while the attempt is made. */
  hear(order: Exclude<Order, { readonly kind: "call" }>): void {
    this.#context.hear(order);
  }

  /** Resolves when the last thing is said: what it returned or threw, or why it cannot be called here. Never rejects.
   *  @param beforeCall Called right before the author's code. */
  async make(beforeCall: () => void = () => {}): Promise<void> {
    let run: NonNullable<StageDefinition["run"]>;
    try {
      run = await findStageFunction(this.#call);
    } catch (error) {
      const reason = redact(error instanceof Error ? error.message : String(error));
      this.#say({ kind: "unavailable", reason });
      return;
    }
    beforeCall();
    this.#say({ kind: "begun" });
    try {
      const needs = decodeValue(this.#call.needs);
      const { item } = this.#call;
      const context = this.#context;
      const given = item === null ? [needs, context] : [decodeValue(item.value), needs, context];
      this.#say(this.#toReport(await run(...given)));
    } catch (error) {
      this.#say({ kind: "threw", error: toErrorEnvelope(error) });
    }
  }

  #toReport(value: unknown): Report {
    if (isSkip(value)) return { kind: "skipped", reason: redact(value.reason) };
    const { stage, item } = this.#call;
    const subject = item === null ? "" : `item "${item.key}" of `;
    const text = encodeOrThrow(value, `the output of ${subject}"${stage}"`);
    return { kind: "returned", value: text, state: this.#context.stateSet };
  }
}
