// A pipeline as a worker claims runs of it.

import type { ClaimedPipeline } from "../../storage/write.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { checkProvided, refuseThreadsWithoutModule } from "../prepare-run.ts";

/** What a claim says of a pipeline of the mill. Throws what is wrong with it: unknown, not available, without what it
 *  is to be provided with. */
export function toClaimedPipeline(mill: MillContext, name: string): ClaimedPipeline {
  const definition = getDefinition(mill, name);
  refuseThreadsWithoutModule(definition);
  checkProvided(definition, mill.provide);
  return {
    name,
    definitionHash: definition.hash,
    definitionJson: definition.json,
    maxActiveRuns: definition.maxActiveRuns,
  };
}
