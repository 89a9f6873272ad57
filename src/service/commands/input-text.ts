// The input of a run as its stages read it. It is kept as the caller gave it and goes through the schema whenever
// the run is worked on: a changed default is a changed input, and whoever reads it is compared.

import type { PipelineDefinition } from "../../model/definition.ts";
import type { NeedShape } from "../../model/definition.ts";
import { encodeOrThrow } from "../../engine/run-core.ts";
import { versionOfText } from "../../std/json.ts";
import { decodeValue, type EncodedValue } from "../../std/value.ts";
import { checkInput } from "../prepare-run.ts";

/** The input after its schema, so that defaults count for its version. INPUT_INVALID, VALUE_NOT_STORABLE. */
export async function toInputText(
  definition: PipelineDefinition,
  input: unknown,
): Promise<EncodedValue> {
  return encodeOrThrow(await checkInput(definition, input), "the input");
}

/** What tells inputs apart. */
export function toInputVersion(inputText: EncodedValue): string {
  return versionOfText(inputText);
}

/** The input of a run that exists, and the positions of the stages that read it if it is another one now. */
export async function readInputText(
  definition: PipelineDefinition,
  run: { readonly input: EncodedValue; readonly inputVersion: string },
): Promise<{ readonly inputText: EncodedValue; readonly stale: readonly number[] }> {
  const inputText = await toInputText(definition, decodeValue(run.input));
  const isSame = toInputVersion(inputText) === run.inputVersion;
  return { inputText, stale: isSame ? [] : listInputReaders(definition) };
}

function listInputReaders({ stages }: PipelineDefinition): readonly number[] {
  const reads = (shape: NeedShape): boolean =>
    shape.kind === "input" || (shape.kind === "list" && shape.parts.some(reads));
  return stages.flatMap(({ needs, arrival, map }, position) => {
    const over = map?.over.kind === "need" && reads(map.over.shape);
    const isReader = arrival === "input" || over || needs.some(({ shape }) => reads(shape));
    return isReader ? [position] : [];
  });
}
