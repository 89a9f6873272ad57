// `millrace plan`: what a run would do, and why. Reads the store, if there is one, without making any file;
// the plan's own file is the only one it may write.

import { resolve } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import { toBlockerView } from "../../service/views/blocker-view.ts";
import { planPipeline, type Plan } from "../../service/plan/plan.ts";
import { checkInput } from "../../service/prepare-run.ts";
import { readPlanBasis } from "../../service/queries/plan-basis.ts";
import { writeNamedFile } from "../../std/files/named-file.ts";
import { renderPlan } from "../answers/plan-text.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { hintStage } from "../foreground/hint-stage.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { readRunInput, type RunInput } from "../input/run-input.ts";
import { readForce, readSelection, type Selection } from "../input/selection.ts";
import { loadTarget, type Target } from "../load/load-pipeline.ts";
import { nextCommand } from "../next-command.ts";
import { printAnswer, printDocument, printRemark, toDocumentText } from "../print.ts";
import { lookOf } from "../render/look.ts";

/** Plans a run. With the preset `faultsOnly` it only says whether the definition holds. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const selection = readSelection(reader);
  const deadlineMs = reader.durationMs("deadline");
  const force = readForce(reader);
  const report = reader.text("report");
  reader.finish("npx millrace plan --help");
  const input = await readRunInput(context, options);
  const target = await loadTarget(context, args[0]);
  if (input.isGiven) await checkInput(target.pipeline.definition, input.value);
  const plan = await hintStage(makePlan(target, { input, selection, force, deadlineMs }), {
    context: target.context,
    verb: ["plan", ...target.words],
    selection,
  });
  if (report !== undefined) await writeReport(context, report, plan);
  if (reader.has("faultsOnly")) return sayValid(context, plan);
  printPlan(target.context, plan, startWords(target, input, { ...selection, force }));
  return reader.has("detailedExitcode") && plan.work ? EXIT.work : EXIT.ok;
}

interface PlanWishes {
  readonly input: RunInput;
  readonly selection: Selection;
  readonly force: Force;
  readonly deadlineMs: number | undefined;
}

type Force = ReturnType<typeof readForce>;

async function makePlan(target: Target, wishes: PlanWishes): Promise<Plan> {
  const { input, selection, force, deadlineMs } = wishes;
  const { definition } = target.pipeline;
  const { store, busyTimeoutMs } = target.settings;
  const basis = await readPlanBasis({
    url: store.value,
    busyTimeoutMs: busyTimeoutMs.value,
    definition,
    input: input.value,
    records: selection.only !== undefined || selection.from !== undefined,
    environment: target.context.env,
    ...(force === undefined ? {} : { force }),
  });
  return planPipeline(definition, {
    ...selection,
    ...(input.isGiven ? { input: input.value } : {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    slots: target.settings.attemptsInFlight.value,
    ...basis,
  });
}

/** Prints a plan as a document or as text. `start`: the command that does it. */
export function printPlan(context: CliContext, plan: Plan, start: readonly string[]): void {
  if (context.flags.json) printDocument(context, toPlanDocument(plan));
  else {
    const look = lookOf(context, context.stdout);
    printAnswer(context, renderPlan(plan, { look, start: nextCommand(context, start) }));
  }
}

function toPlanDocument(plan: Plan): object {
  const { refusal, ...rest } = plan;
  return {
    schema: "millrace.plan/1",
    ...rest,
    ...(refusal === undefined ? {} : { refusal: toBlockerView(refusal) }),
  };
}

function startWords(
  target: Target,
  input: RunInput,
  chosen: Selection & { readonly force: Force },
): readonly string[] {
  const { skip, only, until, from, force } = chosen;
  return [
    "run",
    ...target.words,
    ...input.words,
    ...(skip === undefined ? [] : ["--skip", skip.join(",")]),
    ...(only === undefined ? [] : ["--only", only.join(",")]),
    ...(until === undefined ? [] : ["--until", until]),
    ...(from === undefined ? [] : ["--from", from]),
    ...(force === undefined ? [] : [force === true ? "--force" : `--force=${force.join(",")}`]),
  ];
}

function sayValid(context: CliContext, plan: Plan): number {
  if (context.flags.json) {
    const { pipeline, definition, warnings } = plan;
    printDocument(context, {
      schema: "millrace.plan/1",
      pipeline,
      definition,
      faults: [],
      warnings,
    });
    return EXIT.ok;
  }
  const stages = plan.stages.length;
  printAnswer(context, `${plan.pipeline} ${plan.definition}: no faults, ${stages} stages`);
  for (const warning of plan.warnings) printRemark(context, `warning: ${warning}`);
  return EXIT.ok;
}

async function writeReport(context: CliContext, file: string, plan: Plan): Promise<void> {
  const path = resolve(context.cwd, file);
  try {
    await writeNamedFile(path, `${toDocumentText(toPlanDocument(plan), 2)}\n`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(
      "FILE_UNWRITABLE",
      `The report "${file}" cannot be written: ${reason}.`,
      {
        hint: "name a file in a folder that exists and is yours",
        cause,
      },
    );
  }
}
