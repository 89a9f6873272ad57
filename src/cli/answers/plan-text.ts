// A plan as lines for people: what each stage would do and why, wave by wave, then what is worth knowing.

import type { Plan, PlannedStage } from "../../service/plan/plan.ts";
import { showCount, showDuration } from "../../std/shown/figures.ts";
import type { Look } from "../render/look.ts";
import { oneLine } from "../../std/text.ts";
import { renderTable } from "../render/table.ts";

/** How it is shown. */
export interface PlanScene {
  readonly look: Look;
  /** The command that does what is planned. */
  readonly start: string;
}

/** The lines of a plan. */
export function renderPlan(plan: Plan, { look, start }: PlanScene): string {
  const head = `${look.paint.tone("strong", plan.pipeline)} ${plan.definition}   nothing is written, nothing is called`;
  const predicted =
    plan.predictedMs === undefined
      ? `predicted: ${plan.basis}`
      : `predicted ${showRange(plan.predictedMs)}${showConfidence(plan)} (${plan.basis})`;
  const refused = plan.refusal === undefined ? "no" : plan.refusal.text;
  return [
    head,
    renderStages(plan, look),
    predicted,
    ...plan.warnings.map((warning) => `${look.alphabet.warning} ${warning}`),
    ...plan.notes.map((note) => look.paint.tone("faint", `note: ${note}`)),
    ...(plan.work ? [] : ["nothing to do"]),
    `refused now: ${refused}`,
    `start: ${start}`,
  ].join("\n");
}

function renderStages(plan: Plan, look: Look): string {
  const waveOf = new Map(
    plan.waves.flatMap((wave, index) => wave.map((name) => [name, index + 1] as const)),
  );
  return renderTable(
    {
      columns: [
        { head: "WAVE", align: "right" },
        { head: "STAGE", flexible: true },
        { head: "WILL" },
        { head: "WHY", flexible: true },
        { head: "PREDICTED" },
      ],
      rows: plan.stages.map((stage) => [
        String(waveOf.get(stage.stage) ?? ""),
        stage.stage,
        showWill(stage, look),
        oneLine(stage.reason),
        stage.predictedMs === undefined ? "no history" : showRange(stage.predictedMs),
      ]),
    },
    look,
  );
}

function showWill({ will, items }: PlannedStage, look: Look): string {
  return items === undefined ? will : `${will} ${look.alphabet.times}${showCount(items)}`;
}

function showConfidence({ confidence }: Plan): string {
  return confidence === undefined ? "" : `, ${confidence} confidence`;
}

function showRange([low, high]: readonly [low: number, high: number]): string {
  const [from, to] = [showDuration(low), showDuration(high)];
  return from === to ? from : `${from}–${to}`;
}
