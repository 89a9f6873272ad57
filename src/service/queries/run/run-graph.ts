// The graph of a run: its stages with what they need, and their states now.

import type { StageState } from "../../../model/outcome.ts";
import type { Store } from "../../../storage/store.ts";
import { findRun } from "../find-run.ts";
import { readRunFacts, stageStateOf } from "../run-facts.ts";

/** A stage of a graph. */
export interface GraphStageView {
  readonly stage: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly critical: boolean;
  readonly state: StageState;
}

/** Stages after those they need. */
export interface GraphView {
  readonly pipeline: string;
  /** Hash. */
  readonly definition: string;
  readonly stages: readonly GraphStageView[];
}

/** Reads it. RUN_NOT_FOUND. */
export async function readRunGraph(store: Store, reference: string): Promise<GraphView> {
  const facts = await readRunFacts(store, await findRun(store, reference));
  return {
    pipeline: facts.run.pipeline,
    definition: facts.run.definitionHash,
    stages: facts.stages.map(({ name, kind, needs, critical }) => ({
      stage: name,
      kind,
      needs,
      critical,
      state: stageStateOf(facts, name),
    })),
  };
}
