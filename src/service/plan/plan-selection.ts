// What a plan is asked for, and which stages a start is about: those that run, and those whose earlier results
// they read. Results that no earlier run left are named before anything starts.

import type { Blocker } from "../../model/blocker.ts";
import type { StageRecord, StateCounts } from "../../model/checkpoint.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import { listUpstream } from "../../model/graph.ts";
import type { ResetRequest } from "../../policy/reuse.ts";
import type { RunHistory } from "./plan-forecast.ts";
import { listFrom } from "../prepare-run.ts";
import type { CacheForecast } from "../queries/plan-cache.ts";

/** Checkpoints that a plan may use. */
export interface PlanRecords {
  /** Short name of the run that left them. */
  readonly run: string;
  readonly stages: readonly StageRecord[];
  readonly itemCounts?: ReadonlyMap<string, StateCounts>;
}

/** What is planned. */
export interface PlanOptions {
  readonly input?: unknown;
  readonly skip?: readonly string[];
  readonly only?: readonly string[];
  readonly until?: string;
  readonly from?: string;
  /** Of the run that is resumed or made again; for `only` and `from` of the newest run over the same input. */
  readonly records?: PlanRecords;
  /** What the plan is of. Default "start". */
  readonly verb?: "start" | ResetRequest["verb"];
  readonly history?: RunHistory;
  /** What the cache has, by stage. Default: it is not known. */
  readonly cache?: ReadonlyMap<string, CacheForecast>;
  readonly deadlineMs?: number;
  /** Why it would not start now. Default: it would. */
  readonly refusal?: Blocker;
  /** Attempts at once, for how long it takes. Default 32. */
  readonly slots?: number;
}

/** Which stages a start is about: `work` runs, `read` must come from checkpoints. */
export interface Choice {
  readonly work: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  /** The flag that chose, for reasons. */
  readonly flag: string;
}

/** Reads the choice from the options; CHECKPOINT_MISSING. */
export function choose(definition: PipelineDefinition, options: PlanOptions): Choice {
  const all = new Set(definition.stages.map((stage) => stage.name));
  const { only, until, from } = options;
  if (only !== undefined)
    return withReads(definition, options, { work: new Set(only), flag: "--only" });
  if (from !== undefined) {
    return withReads(definition, options, { work: listFrom(definition, from), flag: "--from" });
  }
  if (until === undefined) return { work: all, read: new Set(), flag: "" };
  const upstream = listUpstream(definition.graph, [definition.positions.get(until) ?? 0]);
  const work = new Set(
    [...upstream].flatMap((position) => definition.stages[position]?.name ?? []),
  );
  return { work, read: new Set(), flag: "--until" };
}

/** Adds what the chosen stages read from outside; CHECKPOINT_MISSING if no earlier run left it. */
function withReads(
  definition: PipelineDefinition,
  options: PlanOptions,
  chosen: { readonly work: ReadonlySet<string>; readonly flag: string },
): Choice {
  const skipped = new Set(options.skip);
  const positions = definition.stages.flatMap((stage, position) =>
    chosen.work.has(stage.name) && !skipped.has(stage.name) ? [position] : [],
  );
  // A start takes over all that lies before `--from`, and for `--only` just what is read.
  const needed =
    chosen.flag === "--from"
      ? listUpstream(definition.graph, positions)
      : positions.flatMap((position) => definition.graph.needs[position] ?? []);
  const read = new Set(
    [...needed].flatMap((position) => {
      const name = definition.stages[position]?.name ?? "";
      return chosen.work.has(name) || skipped.has(name) ? [] : [name];
    }),
  );
  const missing = [...read].filter((name) => !hasCheckpoint(definition, options.records, name));
  if (missing.length > 0) throw checkpointMissing(definition, missing, chosen.flag);
  return { ...chosen, read };
}

function hasCheckpoint(
  definition: PipelineDefinition,
  records: PlanRecords | undefined,
  name: string,
): boolean {
  const record = records?.stages.find((each) => each.stage === name);
  const stage = definition.stages[definition.positions.get(name) ?? -1];
  const isSettled = record?.state === "succeeded" || record?.state === "skipped";
  return isSettled && record.stageVersion === stage?.stageVersion;
}

function checkpointMissing(
  definition: PipelineDefinition,
  missing: readonly string[],
  flag: string,
): MillraceError {
  const list = missing.map((name) => `"${name}"`).join(", ");
  return new MillraceError(
    "CHECKPOINT_MISSING",
    `${flag} needs the results of ${list}, and no earlier run of "${definition.name}" over this input has them.`,
    {
      hint: "run the whole pipeline once, or choose with --until, which does what is needed",
      details: { missing: [...missing] },
    },
  );
}
