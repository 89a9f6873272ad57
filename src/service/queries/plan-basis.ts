// What a plan may rest on: how long stages took in earlier runs, and the results that `--only` and `--from`
// would read. Opens the store only if there is one, in the mode that makes no file.

import type { Blocker } from "../../model/blocker.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { RunRecord } from "../../model/run.ts";
import { versionOfText } from "../../std/json.ts";
import { encodeValue } from "../../std/value.ts";
import type { Store } from "../../storage/store.ts";
import { findRefusal } from "../plan/find-refusal.ts";
import type { RunHistory } from "../plan/plan-forecast.ts";
import type { PlanRecords } from "../plan/plan-selection.ts";
import { checkInput } from "../prepare-run.ts";
import { runName } from "./find-run.ts";
import { findSourceRun } from "./run/find-source-run.ts";
import { openReader } from "./open-reader.ts";
import { readRunHistory } from "./run-history.ts";
import { foreseeCache, type CacheForecast } from "./plan-cache.ts";

/** What is asked of a store. */
export interface BasisQuestion {
  readonly definition: PipelineDefinition;
  readonly input: unknown;
  /** True: also the results of the newest run over the same input. */
  readonly records: boolean;
  /** Variables that command stages may be given from. Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Stages for which the cache will not be asked; true: none will. */
  readonly force?: true | readonly string[];
}

/** What is asked, and of which store. */
export interface PlanBasisQuery extends BasisQuestion {
  /** Of the store. */
  readonly url: string;
  readonly busyTimeoutMs: number;
}

/** What was found. */
export interface PlanBasis {
  readonly history?: RunHistory;
  readonly records?: PlanRecords;
  /** Why it would not start now. */
  readonly refusal?: Blocker;
  /** What the cache has, by stage. */
  readonly cache?: ReadonlyMap<string, CacheForecast>;
}

/** Reads the basis; empty where there is no store. */
export async function readPlanBasis(query: PlanBasisQuery): Promise<PlanBasis> {
  if (query.url === "memory:") return {};
  const store = await openIfThere(query);
  if (store === undefined) return {};
  try {
    return await readBasisOf(store, query);
  } finally {
    await store.close();
  }
}

/** The same from a store that is open. */
export async function readBasisOf(store: Store, query: BasisQuestion): Promise<PlanBasis> {
  const records = query.records ? await findRecords(store, query) : undefined;
  const cache = query.definition.hasCache ? await askCache(store, query) : undefined;
  const refusal = await findRefusal(store, query.definition);
  return {
    history: await readRunHistory(store, query.definition.name),
    ...(refusal === undefined ? {} : { refusal }),
    ...(cache === undefined ? {} : { cache }),
    ...(records === undefined ? {} : { records }),
  };
}

async function openIfThere(query: PlanBasisQuery): Promise<Store | undefined> {
  try {
    return await openReader(query.url, { mode: "plan", busyTimeoutMs: query.busyTimeoutMs });
  } catch (error) {
    if (isMillraceError(error) && error.code === "STORE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The checkpoints of a run, as a plan uses them. */
export async function toPlanRecords(store: Store, run: RunRecord): Promise<PlanRecords> {
  return {
    run: runName(run),
    stages: await store.listStages(run.id),
    itemCounts: await store.countItems(run.id),
  };
}

/** Nothing where the input does not fit: a plan without it is still a plan. */
async function askCache(store: Store, query: BasisQuestion): Promise<PlanBasis["cache"]> {
  const { definition, force } = query;
  const input = await checkInput(definition, query.input).catch(() => undefined);
  const encoded = encodeValue(input);
  if (!encoded.ok) return undefined;
  return await foreseeCache(store, {
    definition,
    input,
    inputVersion: versionOfText(encoded.value),
    environment: query.environment ?? {},
    ...(force === undefined ? {} : { force }),
  });
}

/** Of the newest run over the same input, as a start would find it. */
async function findRecords(store: Store, query: BasisQuestion): Promise<PlanRecords | undefined> {
  const { definition } = query;
  const encoded = encodeValue(await checkInput(definition, query.input));
  if (!encoded.ok) return undefined;
  const run = await findSourceRun(store, definition.name, versionOfText(encoded.value));
  return run === undefined ? undefined : toPlanRecords(store, run);
}
