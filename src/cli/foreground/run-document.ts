// The one document of `run`, `resume` and `rerun` under `--json`.

import type { Json } from "../../std/json.ts";
import { encodeValue } from "../../std/value.ts";
import type { Millrace } from "../../service/millrace.ts";
import { showRun } from "../../service/queries/show-run.ts";
import type { RunHandle } from "../../service/run-handle.ts";
import type { RunResult } from "../../service/run-result.ts";
import type { FailureView } from "../../service/views/failure-view.ts";
import type { RunView } from "../../service/views/run-view.ts";
import type { StageView } from "../../service/views/stage-view.ts";

/** What the verbs that work a run answer. Fields are only added within a version. */
export interface RunDocument {
  readonly schema: "millrace.run/1";
  readonly run: RunView;
  /** False: the key was known, and the run was only looked up. */
  readonly created: boolean;
  readonly stages: readonly StageView[];
  /** By name; those that a stage did not give are left out. */
  readonly outputs: Readonly<Record<string, Json>>;
  readonly failures: readonly FailureView[];
  readonly metrics: Readonly<Record<string, number>>;
  /** Of a resumed run, and of one that took checkpoints over. */
  readonly kept?: { readonly stages: number; readonly items: number };
  readonly next: readonly string[];
}

/** What the document is made from. */
export interface DocumentParts {
  readonly handle: RunHandle;
  readonly result: RunResult;
  readonly next: readonly string[];
}

/** Reads the run back from its store, so that the document says what is durable. */
export async function readRunDocument(
  mill: Pick<Millrace, "store">,
  { handle, result, next }: DocumentParts,
): Promise<RunDocument> {
  const { run, stages, failures } = await showRun(mill.store, handle.id);
  const { resumed } = handle;
  return {
    schema: "millrace.run/1",
    run,
    created: handle.created,
    stages,
    outputs: toOutputs(result),
    failures,
    metrics: result.metrics,
    ...(resumed === undefined
      ? {}
      : { kept: { stages: resumed.keptStages, items: resumed.keptItems } }),
    next,
  };
}

/** Values as the store keeps them: JSON, and what JSON cannot hold as tagged records. */
function toOutputs({ outputs }: RunResult): Readonly<Record<string, Json>> {
  const shown: Record<string, Json> = {};
  for (const [name, value] of Object.entries(outputs)) {
    if (value === undefined) continue;
    const encoded = encodeValue(value);
    const json: Json = encoded.ok ? JSON.parse(encoded.value) : null;
    shown[name] = json;
  }
  return shown;
}
