// Finds a stage by name in the module of its pipeline, in a process or thread that has just been told of it.

import type { PipelineDefinition, StageDefinition } from "../../../model/definition.ts";
import { beginAddressedImport } from "../../../model/addressed-import.ts";
import { isRecord } from "../../../std/record.ts";
import type { IsolatedCall } from "./protocol.ts";

/** Is there while the module of a pipeline is imported for one attempt: nothing is opened or run meanwhile. */
const IMPORTING_MARK = Symbol.for("millrace.importing");
const PIPELINE_MARK = Symbol.for("millrace.pipeline");

/** A thread is asked for the same module again and again, and to resolve its address takes longer than to call it. */
const imported: Map<string, Readonly<Record<string, unknown>>> = new Map();

/** The function of the stage. Throws where the module cannot be imported, or exports no such stage. */
export async function findStageFunction(
  call: IsolatedCall,
): Promise<NonNullable<StageDefinition["run"]>> {
  const exports = imported.get(call.module) ?? (await importModule(call.module));
  imported.set(call.module, exports);
  const run = findStage(call, exports)?.run ?? null;
  if (run !== null) return run;
  throw new Error(
    `"${call.module}" exports no pipeline "${call.pipeline}" with a stage "${call.stage}"`,
  );
}

/** A program that works when it is imported must not work here. */
async function importModule(address: string): Promise<Readonly<Record<string, unknown>>> {
  Object.defineProperty(globalThis, IMPORTING_MARK, { value: true, configurable: true });
  const end = beginAddressedImport();
  try {
    return await import(address);
  } finally {
    end();
    Reflect.deleteProperty(globalThis, IMPORTING_MARK);
  }
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
