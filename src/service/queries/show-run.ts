// One run, one of its stages or one of its items, with all that is worth seeing: attempts, waits, what went in
// and what came out, what it was made from.

import type { Store } from "../../storage/store.ts";
import { toBlockerView, type BlockerView } from "../views/blocker-view.ts";
import type { StoredStage } from "../views/definition-view.ts";
import type { FailureView } from "../views/failure-view.ts";
import { toItemView, type ItemView } from "../views/item-view.ts";
import { toRunView, type RunView } from "../views/run-view.ts";
import { toStageView, toStageViews, type StageView } from "../views/stage-view.ts";
import { readValueView, toValueView, type ValueView } from "../views/value-view.ts";
import { findItemBlockers, findStageBlockers } from "./find-blockers.ts";
import { findRun, runName } from "./find-run.ts";
import { getItem } from "./get-item.ts";
import { listAttempts, type AttemptView } from "./list-attempts.ts";
import { listFailures } from "./list-failures.ts";
import { getStage, readRunFacts, type RunFacts } from "./run-facts.ts";

/** Runs that are named beside a run. */
export interface LineageView {
  readonly parent?: { readonly id: string; readonly name: string };
  /** Newest first, at most 20. */
  readonly children: readonly { readonly id: string; readonly name: string }[];
}

/** A run and its stages. */
export interface RunDetail {
  readonly run: RunView;
  readonly stages: readonly StageView[];
  readonly failures: readonly FailureView[];
  /** Failed items whose kind was not read. */
  readonly unread: number;
  readonly lineage: LineageView;
  readonly input: ValueView;
}

/** A stage with its attempts. */
export interface StageDetail {
  readonly run: RunView;
  readonly stage: StageView & {
    readonly history: readonly AttemptView[];
    readonly blockers: readonly BlockerView[];
    /** What it was given, by the stage it came from. */
    readonly input: Readonly<Record<string, ValueView>>;
    readonly output: ValueView;
  };
  /** Of a map stage. */
  readonly failures: readonly FailureView[];
}

/** An item with its attempts. */
export interface ItemDetail {
  readonly run: RunView;
  readonly stage: string;
  readonly item: Omit<ItemView, "attempts" | "output"> & {
    readonly attempts: readonly AttemptView[];
    readonly attemptsMax: number;
    readonly input: ValueView;
    readonly output: ValueView;
    readonly blockers: readonly BlockerView[];
  };
}

/** Shows a run. RUN_NOT_FOUND. */
export async function showRun(store: Store, reference: string): Promise<RunDetail> {
  const facts = await readRunFacts(store, await findRun(store, reference));
  const { failures, unread } = await listFailures(store, facts);
  return {
    run: toRunView(facts),
    stages: toStageViews(facts),
    failures,
    unread,
    lineage: await readLineage(store, facts),
    input: toValueView(facts.run.input),
  };
}

/** Shows a stage. RUN_NOT_FOUND, STAGE_UNKNOWN. */
export async function showStage(
  store: Store,
  reference: string,
  name: string,
): Promise<StageDetail> {
  const facts = await readRunFacts(store, await findRun(store, reference));
  const stage = getStage(facts, name);
  const record = facts.records.get(name);
  const { failures } = await listFailures(store, facts);
  const history = await listAttempts(
    store,
    { runId: facts.run.id, stage: name, item: null },
    record,
  );
  return {
    run: toRunView(facts),
    stage: {
      ...toStageView(facts, name),
      history,
      blockers: findStageBlockers(facts, name).map(toBlockerView),
      input: await readInputs(store, facts, stage),
      output: await readValueView(store, record?.output ?? null),
    },
    failures: failures.filter((failure) => failure.stage === name),
  };
}

/** Shows an item. RUN_NOT_FOUND, STAGE_UNKNOWN, ITEM_UNKNOWN. */
export async function showItem(
  store: Store,
  reference: string,
  at: { readonly stage: string; readonly key: string },
): Promise<ItemDetail> {
  const facts = await readRunFacts(store, await findRun(store, reference));
  const stage = getStage(facts, at.stage);
  const record = await getItem(store, facts, at);
  const attempts = await listAttempts(
    store,
    { runId: facts.run.id, stage: at.stage, item: at.key },
    record,
  );
  const { attempts: _count, ...view } = toItemView(record);
  return {
    run: toRunView(facts),
    stage: at.stage,
    item: {
      ...view,
      attempts,
      attemptsMax: stage.attempts,
      input: await readItemInput(store, facts, { stage, index: record.index }),
      output: await readValueView(store, record.output),
      blockers: findItemBlockers(facts, record).map(toBlockerView),
    },
  };
}

async function readLineage(store: Store, facts: RunFacts): Promise<LineageView> {
  const { parent } = facts.run;
  const record = parent === null ? undefined : await store.findRun(parent);
  const children = await store.listRuns({ parent: facts.run.id, limit: 20 });
  return {
    ...(record === undefined ? {} : { parent: { id: record.id, name: runName(record) } }),
    children: children.map((run) => ({ id: run.id, name: runName(run) })),
  };
}

async function readInputs(
  store: Store,
  facts: RunFacts,
  stage: StoredStage,
): Promise<Readonly<Record<string, ValueView>>> {
  if (stage.needs.length === 0) return { input: toValueView(facts.run.input) };
  const inputs: Record<string, ValueView> = {};
  for (const need of stage.needs) {
    inputs[need] = await readValueView(store, facts.records.get(need)?.output ?? null);
  }
  return inputs;
}

/** What an item was given: its place in the list that the map runs over, where that list is stored. */
async function readItemInput(
  store: Store,
  facts: RunFacts,
  at: { readonly stage: StoredStage; readonly index: number },
): Promise<ValueView> {
  const { over } = at.stage;
  const list =
    over === null
      ? toValueView(facts.run.input)
      : await readValueView(store, facts.records.get(over)?.output ?? null);
  if (!Array.isArray(list.value)) return {};
  const value = list.value[at.index];
  return value === undefined ? {} : { value };
}
