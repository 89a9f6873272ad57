// The pipelines of a worker, as it claims runs of them.

import type { ClaimedPipeline } from "../../storage/write.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { NOTICE_PIPELINE } from "../pipelines/built-in.ts";
import { checkProvided, refuseThreadsWithoutModule } from "../prepare-run.ts";

/** What a worker claims runs of. Those of our own change with the settings of the mill. */
export class ClaimedPipelines {
  readonly #mill: MillContext;
  readonly #wanted: readonly string[] | undefined;
  #list: readonly ClaimedPipeline[];
  #notices: MillContext["notices"];

  /** Undefined: all of the mill. Throws what is wrong with one of them. */
  constructor(mill: MillContext, wanted: readonly string[] | undefined) {
    this.#mill = mill;
    this.#wanted = wanted;
    this.#list = this.#make();
    this.#notices = mill.notices;
  }

  get list(): readonly ClaimedPipeline[] {
    if (this.#notices !== this.#mill.notices) {
      this.#list = this.#make();
      this.#notices = this.#mill.notices;
    }
    return this.#list;
  }

  get names(): readonly string[] {
    return this.list.map(({ name }) => name);
  }

  #make(): readonly ClaimedPipeline[] {
    const { pipelines, notices } = this.#mill;
    const known = [...pipelines.keys()].filter(
      (name) => name !== NOTICE_PIPELINE || notices.settings !== null,
    );
    const names = new Set(this.#wanted ?? known);
    return [...names].map((name) => toClaimedPipeline(this.#mill, name));
  }
}

/** What a claim says of a pipeline of the mill. Throws what is wrong with it: unknown, not available, without what it
 *  is to be provided with. */
function toClaimedPipeline(mill: MillContext, name: string): ClaimedPipeline {
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
