// A definition as Mermaid and as Graphviz text: every stage, every dependency, and on wish the states of one
// run. Only text is made; whoever wants a picture has a tool for it.

import type { PipelineDefinition, StageDefinition } from "../definition.ts";
import type { StageState } from "../outcome.ts";

/** States of one run's stages, by name. */
export type DrawnStates = ReadonlyMap<string, StageState>;

/** Fill and edge of each state, light theme: the same colours as everywhere else. */
const COLORS: Readonly<Record<StageState, readonly [fill: string, edge: string, text: string]>> = {
  pending: ["#ffffff", "#737b87", "#11161d"],
  waiting: ["#6e2ab2", "#6e2ab2", "#ffffff"],
  running: ["#4374f5", "#4374f5", "#ffffff"],
  succeeded: ["#33a77d", "#1f8a64", "#11161d"],
  skipped: ["#d9dfe6", "#7b8491", "#11161d"],
  failed: ["#bc0101", "#bc0101", "#ffffff"],
  upstream_failed: ["#774d50", "#774d50", "#ffffff"],
  cancelled: ["#272e38", "#272e38", "#ffffff"],
};

/** What a stage is called in a drawing: its name, `×n` for a map, `?` when it is not critical. */
export function toLabel(stage: StageDefinition, times: string = "×"): string {
  return `${stage.name}${stage.kind === "map" ? ` ${times}n` : ""}${stage.critical ? "" : " ?"}`;
}

/** Mermaid text of a pipeline. Dotted edges lead to stages that also run when the need did not succeed. */
export function toMermaid(definition: PipelineDefinition, states?: DrawnStates): string {
  const lines = ["flowchart LR"];
  for (const [position, stage] of definition.stages.entries()) {
    const state = states?.get(stage.name);
    const label = state === undefined ? toLabel(stage) : `${toLabel(stage)}<br/>${toWord(state)}`;
    const [open, close] = MERMAID_SHAPES[stage.kind];
    const tag = state === undefined ? "" : `:::${state}`;
    lines.push(`  s${position}${open}"${label.replaceAll('"', "#quot;")}"${close}${tag}`);
  }
  for (const { from, to, soft } of listEdges(definition)) {
    lines.push(`  s${from} ${soft ? "-.->" : "-->"} s${to}`);
  }
  if (states !== undefined) lines.push(...listMermaidClasses(definition, states));
  return `${lines.join("\n")}\n`;
}

const MERMAID_SHAPES: Readonly<Record<StageDefinition["kind"], readonly [string, string]>> = {
  stage: ["[", "]"],
  map: ["[[", "]]"],
  command: ["{{", "}}"],
};

function listMermaidClasses(
  definition: PipelineDefinition,
  states: DrawnStates,
): readonly string[] {
  const used = new Set(definition.stages.flatMap((stage) => states.get(stage.name) ?? []));
  return [...used].map((state) => {
    const [fill, edge, text] = COLORS[state];
    return `  classDef ${state} fill:${fill},stroke:${edge},color:${text}`;
  });
}

/** Graphviz text of a pipeline. Dashed edges lead to stages that also run when the need did not succeed. */
export function toDot(definition: PipelineDefinition, states?: DrawnStates): string {
  const lines = [
    `digraph ${quote(definition.name)} {`,
    "  rankdir=LR;",
    '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="sans-serif"];',
  ];
  for (const stage of definition.stages) {
    lines.push(`  ${quote(stage.name)} [${dotAttributes(stage, states?.get(stage.name))}];`);
  }
  for (const { from, to, soft } of listEdges(definition)) {
    const names = [from, to].map((position) => quote(definition.stages[position]?.name ?? ""));
    lines.push(`  ${names.join(" -> ")}${soft ? " [style=dashed]" : ""};`);
  }
  lines.push("}");
  return `${lines.join("\n")}\n`;
}

function dotAttributes(stage: StageDefinition, state: StageState | undefined): string {
  const label = state === undefined ? toLabel(stage) : `${toLabel(stage)}\\n${toWord(state)}`;
  const shape = { stage: "", map: ", peripheries=2", command: ", shape=component" }[stage.kind];
  if (state === undefined) return `label="${label}"${shape}`;
  const [fill, edge, text] = COLORS[state];
  return `label="${label}"${shape}, fillcolor="${fill}", color="${edge}", fontcolor="${text}"`;
}

/** A name in quotes; names hold neither quotes nor backslashes. */
function quote(name: string): string {
  return `"${name}"`;
}

function toWord(state: StageState): string {
  return state.replace("_", " ");
}

/** Every dependency once, in the order of the readers. */
function listEdges(
  definition: PipelineDefinition,
): readonly { readonly from: number; readonly to: number; readonly soft: boolean }[] {
  return definition.graph.needs.flatMap((needs, to) =>
    needs.map((from) => ({ from, to, soft: isSoft(definition, from, to) })),
  );
}

/** True if the reader runs also when this need gave nothing. */
function isSoft(definition: PipelineDefinition, from: number, to: number): boolean {
  const reader = definition.stages[to];
  if (reader?.trigger !== "all_success") return true;
  const isRequired = reader.needs.some(
    ({ shape }) => shape.kind === "stage" && shape.stage === from && shape.required,
  );
  return definition.stages[from]?.soft === true && !isRequired;
}
