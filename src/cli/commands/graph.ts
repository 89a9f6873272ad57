// `millrace graph`: a pipeline as a drawing or as text for a drawing tool, with the states of a run on wish.

import type { PipelineDefinition } from "../../model/definition.ts";
import { toAscii } from "../../model/drawing/drawing-ascii.ts";
import { toDot, toMermaid, type DrawnStates } from "../../model/drawing/drawing.ts";
import { MillraceError } from "../../model/errors.ts";
import { findRun } from "../../service/queries/find-run.ts";
import { readRunFacts, stageStateOf } from "../../service/queries/run-facts.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { loadTarget } from "../load/load-pipeline.ts";
import { printAnswer, printDocument } from "../print.ts";
import { lookOf } from "../render/look.ts";
import { markOf } from "../render/marks.ts";
import { withStore } from "../with-store.ts";

/** Draws a pipeline. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const format = reader.oneOf("format", ["ascii", "mermaid", "dot"]) ?? "ascii";
  const ofRun = reader.text("run");
  reader.finish("npx millrace graph --help");
  const target = await loadTarget(context, args[0]);
  const { definition } = target.pipeline;
  const states =
    ofRun === undefined ? undefined : await readStates(target.context, definition, ofRun);
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.graph/1", ...toGraphDocument(definition, states) });
    return EXIT.ok;
  }
  if (format === "mermaid") printAnswer(context, toMermaid(definition, states));
  else if (format === "dot") printAnswer(context, toDot(definition, states));
  else printAnswer(context, drawText(context, definition, states));
  return EXIT.ok;
}

function drawText(
  context: CliContext,
  definition: PipelineDefinition,
  states: DrawnStates | undefined,
): string {
  const { alphabet, columnsMax } = lookOf(context, context.stdout);
  return toAscii(definition, {
    ascii: alphabet.name === "ascii",
    ...(Number.isFinite(columnsMax) ? { columnsMax } : {}),
    markOf: (stage) => {
      const state = states?.get(stage);
      return state === undefined ? "" : alphabet.marks[markOf(state)];
    },
  });
}

async function readStates(
  context: CliContext,
  definition: PipelineDefinition,
  reference: string,
): Promise<DrawnStates> {
  return withStore(context, async (store) => {
    const run = await findRun(store, reference);
    const facts = await readRunFacts(store, run);
    if (run.pipeline !== definition.name) {
      throw new MillraceError(
        "USAGE_INVALID",
        `Run "${facts.name}" is of pipeline "${run.pipeline}", not of "${definition.name}".`,
        {
          hint: "--run takes a run of the pipeline that is drawn",
          next: `npx millrace show ${facts.name}`,
        },
      );
    }
    return new Map(
      definition.stages.map((stage) => [stage.name, stageStateOf(facts, stage.name)] as const),
    );
  });
}

function toGraphDocument(definition: PipelineDefinition, states: DrawnStates | undefined): object {
  return {
    pipeline: definition.name,
    definition: definition.hash,
    stages: definition.stages.map((stage, position) => ({
      stage: stage.name,
      kind: stage.kind,
      needs: (definition.graph.needs[position] ?? []).map(
        (need) => definition.stages[need]?.name ?? "",
      ),
      critical: stage.critical,
      resources: listResources(stage.uses),
      ...(states === undefined ? {} : { state: states.get(stage.name) ?? "pending" }),
    })),
  };
}

/** Names of the resources that are written as a list; a function tells them only when it runs. */
function listResources(uses: PipelineDefinition["stages"][number]["uses"]): readonly string[] {
  return typeof uses === "function" || uses === null ? [] : uses.map((use) => use.resource);
}
