// A process for one attempt: imports the pipeline's module, looks the stage up by name, calls it once, and says what
// it gave. It is ended from outside; alone it only ends when its worker is gone.

import type { PipelineDefinition, StageDefinition } from "../../../model/definition.ts";
import { isSkip } from "../../../model/outcome.ts";
import { toErrorEnvelope } from "../../../std/error-envelope.ts";
import { isRecord } from "../../../std/record.ts";
import { decodeValue } from "../../../std/value.ts";
import { encodeOrThrow } from "../../run-core.ts";
import { IsolatedContext } from "./isolated-context.ts";
import type { IsolatedCall, Order, Report } from "./protocol.ts";

/** Is there while the module of a pipeline is imported for one attempt: nothing is opened meanwhile. */
const IMPORTING_MARK = Symbol.for("millrace.importing");
const PIPELINE_MARK = Symbol.for("millrace.pipeline");

let context: IsolatedContext | null = null;

function say(report: Report): void {
  process.send?.(report);
}

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", (message: unknown) => {
  // Only our worker has the other end of the channel.
  const order = message as Order;
  if (order.kind === "call") void make(order.call);
  else context?.hear(order);
});

async function make(call: IsolatedCall): Promise<void> {
  let stage: StageDefinition | undefined;
  try {
    stage = findStage(call, await importModule(call.module));
  } catch (error) {
    say({ kind: "unavailable", reason: error instanceof Error ? error.message : String(error) });
    return;
  }
  const run = stage?.run ?? null;
  if (run === null) {
    const reason = `"${call.module}" exports no pipeline "${call.pipeline}" with a stage "${call.stage}"`;
    say({ kind: "unavailable", reason });
    return;
  }
  context = new IsolatedContext(call, say);
  say({ kind: "begun" });
  try {
    const needs = decodeValue(call.needs);
    const { item } = call;
    const given = item === null ? [needs, context] : [decodeValue(item.value), needs, context];
    say(toReport(call, await run(...given)));
  } catch (error) {
    say({ kind: "threw", error: toErrorEnvelope(error) });
  }
}

/** A program that works when it is imported must not work here. */
async function importModule(address: string): Promise<Readonly<Record<string, unknown>>> {
  Object.defineProperty(globalThis, IMPORTING_MARK, { value: true, configurable: true });
  try {
    return await import(address);
  } finally {
    Reflect.deleteProperty(globalThis, IMPORTING_MARK);
  }
}

function toReport(call: IsolatedCall, value: unknown): Report {
  if (isSkip(value)) return { kind: "skipped", reason: value.reason };
  const subject = call.item === null ? "" : `item "${call.item.key}" of `;
  const text = encodeOrThrow(value, `the output of ${subject}"${call.stage}"`);
  return { kind: "returned", value: text, state: context?.stateSet ?? [] };
}

/** Among the exports, and among what an exported configuration lists. */
function findStage(
  { pipeline, stage }: IsolatedCall,
  exports: Readonly<Record<string, unknown>>,
): StageDefinition | undefined {
  const listed = isRecord(exports["default"]) ? exports["default"]["pipelines"] : undefined;
  const values = [...Object.values(exports), ...(Array.isArray(listed) ? listed : [])];
  for (const value of values) {
    if (!isPipeline(value) || value.definition.name !== pipeline) continue;
    return value.definition.stages.find(({ name }) => name === stage);
  }
  return undefined;
}

function isPipeline(value: unknown): value is { readonly definition: PipelineDefinition } {
  return isRecord(value) && PIPELINE_MARK in value && isRecord(value["definition"]);
}
