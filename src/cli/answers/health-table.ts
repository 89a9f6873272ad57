// Health as lines: one for each pipeline with why and what to do, then what else is not good.

import type { HealthView, PipelineHealthView } from "../../service/views/health-view.ts";
import type { Look } from "../render/look.ts";
import { oneLine } from "../../std/text.ts";
import { renderTable } from "../render/table.ts";

/** How it is shown. */
export interface HealthScene {
  readonly look: Look;
  /** The command that unblocks a pipeline. */
  readonly ack: (pipeline: string) => string;
}

/** The lines; empty where there is nothing to tell. */
export function renderHealth(view: HealthView, scene: HealthScene): string {
  const { look } = scene;
  const pipelines = renderTable(
    {
      columns: [
        { head: "PIPELINE" },
        { head: "HEALTH" },
        { head: "WHY", flexible: true },
        { head: "NEXT" },
      ],
      rows: view.pipelines.map((health) => toRow(health, scene)),
    },
    look,
  );
  const others = [
    ...(view.store.message === undefined ? [] : [`store: ${oneLine(view.store.message)}`]),
    ...view.stages.flatMap(({ pipeline, stage, status, message = "" }) =>
      status === "ok" ? [] : [`stage ${pipeline}/${stage}: ${oneLine(message)}`],
    ),
    ...view.resources.flatMap(({ resource, status, message = "" }) =>
      status === "ok" ? [] : [`resource ${resource}: ${oneLine(message)}`],
    ),
    ...view.findings.map(({ rule, message }) => `${rule}: ${oneLine(message)}`),
  ].map((line) => look.paint.tone("error", line));
  const good = countGood(view);
  return [...(view.pipelines.length === 0 ? [] : [pipelines]), ...others, ...good].join("\n");
}

const NEEDS_OVERRIDE = "manual runs need --override";

function toRow(
  health: PipelineHealthView,
  { look, ack }: HealthScene,
): readonly (string | { text: string; paint: (text: string) => string })[] {
  const { pipeline, verdict, gate } = health;
  const isHealthy = verdict === "healthy";
  const paint = (text: string): string =>
    isHealthy
      ? look.paint.mark("succeeded", text)
      : look.paint.tone(verdict === "blocked" ? "error" : "warning", text);
  return [
    pipeline,
    { text: verdict, paint },
    oneLine(sayWhy(health)),
    isHealthy || gate !== "health" ? "" : verdict === "blocked" ? ack(pipeline) : NEEDS_OVERRIDE,
  ];
}

/** `score failed in the last 2 runs (7f3k, 5d2a)`. */
function sayWhy({ verdict, reasons, ack }: PipelineHealthView): string {
  const [first] = reasons;
  if (first === undefined)
    return ack === undefined ? "" : `acknowledged by ${ack.actor}: ${ack.reason}`;
  // What blocks names its run itself.
  return verdict === "blocked" ? first.text : `${first.text} (${first.runs.join(", ")})`;
}

/** What was asked and is good, in one line. */
function countGood({ stages, resources }: HealthView): readonly string[] {
  const good = (views: readonly { readonly status: string }[]): number =>
    views.filter(({ status }) => status === "ok").length;
  const parts = [
    [good(stages), stages.length, "stages"],
    [good(resources), resources.length, "resources"],
  ] as const;
  const said = parts.flatMap(([count, all, word]) =>
    all === 0 ? [] : [`${count} of ${all} ${word}`],
  );
  return said.length === 0 ? [] : [`good: ${said.join(", ")}`];
}
