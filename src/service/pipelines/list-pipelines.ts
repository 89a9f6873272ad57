// The pipelines that a mill can start: a page of them with their counts, and one whole with the schema of its input.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { Json } from "../../std/json.ts";
import type { Store } from "../../storage/store.ts";
import { getDefinition, type MillContext } from "../mill-context.ts";
import { toPipelineView, type PipelineView } from "../views/pipeline/pipeline-view.ts";
import { checkPageLimit } from "../queries/page-limit.ts";
import { toRunCounts, type RunCounts } from "../queries/queue/queue-stats.ts";

/** A pipeline in a list. */
export interface PipelineLineView {
  readonly pipeline: string;
  /** Hash. */
  readonly definition: string;
  readonly description?: string;
  readonly stages: number;
  /** Absent: any number of runs may be running. */
  readonly maxActiveRuns?: number;
  readonly runs: RunCounts;
}

/** A page, in order of name. */
export interface PipelinePage {
  readonly pipelines: readonly PipelineLineView[];
  readonly nextCursor?: string;
}

/** Lists them; the cursor is the last name. OPTION_INVALID. */
export async function listPipelines(
  { pipelines, store }: Pick<MillContext, "pipelines" | "store">,
  page: { readonly limit?: number; readonly cursor?: string },
): Promise<PipelinePage> {
  const limit = checkPageLimit(page.limit);
  const { cursor = "" } = page;
  const names = [...pipelines.keys()].filter((name) => name > cursor).toSorted();
  const counts = await store.countRuns();
  const lines = names.slice(0, limit).flatMap((name) => {
    const definition = pipelines.get(name);
    const stored = counts.get(name);
    const runs = toRunCounts(stored === undefined ? [] : [stored]);
    return definition === undefined ? [] : [toLine(definition, runs)];
  });
  const last = lines.at(-1);
  const hasMore = last !== undefined && names.length > limit;
  return { pipelines: lines, ...(hasMore ? { nextCursor: last.pipeline } : {}) };
}

function toLine(definition: PipelineDefinition, runs: RunCounts): PipelineLineView {
  const { name, hash, description, stages, maxActiveRuns } = definition;
  return {
    pipeline: name,
    definition: hash,
    ...(description === null ? {} : { description }),
    stages: stages.length,
    ...(maxActiveRuns === null ? {} : { maxActiveRuns }),
    runs,
  };
}

/** A pipeline with what a form needs to start it. */
export interface PipelineDetailView extends PipelineView {
  /** JSON Schema (2020-12) of the input; null: its schema gives none, or it has none. */
  readonly inputSchema: Readonly<Record<string, unknown>> | null;
  readonly hasInput: boolean;
}

/** Shows one. PIPELINE_UNKNOWN. */
export function showPipeline(
  mill: Pick<MillContext, "pipelines" | "resources"> & MillContext,
  name: string,
): PipelineDetailView {
  const definition = getDefinition(mill, name);
  const view = toPipelineView(definition, {
    origins: { retry: "config", timeout: "config" },
    resources: { declared: mill.resources, origin: "config" },
  });
  return { ...view, inputSchema: readInputSchema(definition), hasInput: definition.hasInput };
}

/** By the way that Standard JSON Schema gives every library of schemas; one that knows it not, or cannot, gives none. */
function readInputSchema({ input }: PipelineDefinition): PipelineDetailView["inputSchema"] {
  const standard: unknown = input?.["~standard"];
  const converter: unknown = readField(standard, "jsonSchema");
  const convert: unknown = readField(converter, "input");
  if (typeof convert !== "function") return null;
  try {
    const made: unknown = convert.call(converter, { target: "draft-2020-12" });
    return typeof made === "object" && made !== null ? { ...made } : null;
  } catch {
    return null;
  }
}

function readField(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The definition that runs were made under, from the store. PIPELINE_UNKNOWN: it keeps none of this hash. */
export async function readDefinition(
  store: Pick<Store, "findDefinition">,
  hash: string,
): Promise<Json> {
  const text = await store.findDefinition(hash);
  if (text === undefined) {
    throw new MillraceError("PIPELINE_UNKNOWN", `No run was made under the definition "${hash}".`, {
      details: { given: hash },
    });
  }
  const value: Json = JSON.parse(text);
  return value;
}
