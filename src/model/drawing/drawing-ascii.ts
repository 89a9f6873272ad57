// A definition as lines of text: stages left to right, branches below each other where they part and meet
// again. A graph that has no such form, or is too wide, is listed by waves with what each stage needs.

import type { PipelineDefinition } from "../definition.ts";
import { toLabel } from "./drawing.ts";
import { listWaves } from "../graph.ts";
import { findSeries, type Series } from "./series.ts";

/** How it is drawn. */
export interface AsciiOptions {
  /** True: nothing above 0x7e. Default false. */
  readonly ascii?: boolean;
  /** Longest line. Default 100. */
  readonly columnsMax?: number;
  /** Put before a stage's name, as the mark of its state. Default nothing. */
  readonly markOf?: (stage: string) => string;
}

interface Signs {
  readonly line: string;
  readonly down: string;
  /** First, inner and last branch where they part. */
  readonly fork: readonly [string, string, string];
  /** The same where they meet. */
  readonly join: readonly [string, string, string];
  readonly times: string;
  readonly arrow: string;
}

const UNICODE: Signs = {
  line: "─",
  down: "│",
  fork: ["┬", "├", "└"],
  join: ["┬", "┤", "┘"],
  times: "×",
  arrow: "←",
};

const ASCII: Signs = {
  line: "-",
  down: "|",
  fork: ["+", "+", "+"],
  join: ["+", "+", "+"],
  times: "x",
  arrow: "<-",
};

const COLUMNS_MAX_DEFAULT = 100;

/** The drawing, without a line feed behind the last line. */
export function toAscii(definition: PipelineDefinition, options: AsciiOptions = {}): string {
  const signs = options.ascii === true ? ASCII : UNICODE;
  const labels = definition.stages.map((stage) => {
    const mark = options.markOf?.(stage.name) ?? "";
    return `${mark === "" ? "" : `${mark} `}${toLabel(stage, signs.times)}`;
  });
  const series = findSeries(definition.graph);
  const block = series === undefined ? undefined : drawSeries(series, { labels, signs });
  const lines = block?.lines.map((line) => line.trimEnd());
  const fits =
    lines !== undefined &&
    lines.every((line) => line.length <= (options.columnsMax ?? COLUMNS_MAX_DEFAULT));
  return [
    ...(fits ? lines : listByWave(definition, labels, signs)),
    ...listLegend(definition, signs),
  ].join("\n");
}

function listLegend(definition: PipelineDefinition, signs: Signs): readonly string[] {
  const facts = [
    definition.stages.some((stage) => stage.kind === "map") ? `${signs.times}n once per item` : "",
    definition.stages.some((stage) => !stage.critical) ? "? not critical" : "",
  ].filter((fact) => fact !== "");
  return facts.length === 0 ? [] : ["", facts.join("   ")];
}

function listByWave(
  definition: PipelineDefinition,
  labels: readonly string[],
  signs: Signs,
): readonly string[] {
  const waves = listWaves(definition.graph);
  const numberWidth = String(waves.length).length;
  const labelWidth = Math.max(0, ...labels.map((label) => label.length));
  return waves.flatMap((wave, index) =>
    wave.map((position, row) => {
      const number = (row === 0 ? String(index + 1) : "").padStart(numberWidth);
      const needs = (definition.graph.needs[position] ?? []).map(
        (need) => definition.stages[need]?.name ?? "",
      );
      const label = labels[position] ?? "";
      if (needs.length === 0) return `${number}  ${label}`;
      return `${number}  ${label.padEnd(labelWidth)}  ${signs.arrow} ${needs.join(", ")}`;
    }),
  );
}

interface Pens {
  readonly labels: readonly string[];
  readonly signs: Signs;
}

/** Lines of equal length; what comes in and goes out does so on the first. */
interface Block {
  readonly lines: readonly string[];
  /** True: the first line begins (ends) with a fork's own sign and wants no blank before (behind) it. */
  readonly opensFork: boolean;
  readonly closesFork: boolean;
}

/** Whether anything stands before and behind: a fork at an end of the whole drawing needs no sign there. */
interface Neighbours {
  readonly before: boolean;
  readonly behind: boolean;
}

function drawSeries(series: Series, pens: Pens, outer?: Neighbours): Block {
  const blocks = series.map((part, index): Block => {
    if (part.kind === "stage") {
      const label = pens.labels[part.position] ?? "";
      return { lines: [label], opensFork: false, closesFork: false };
    }
    return drawBranches(part.branches, pens, {
      before: index > 0 || outer?.before === true,
      behind: index < series.length - 1 || outer?.behind === true,
    });
  });
  return blocks.reduce((left, right) => joinBlocks(left, right, pens.signs));
}

function joinBlocks(left: Block, right: Block, { line }: Signs): Block {
  const connector = `${left.closesFork ? "" : " "}${line}${
    left.closesFork || right.opensFork ? "" : line
  }${right.opensFork ? "" : " "}`;
  const height = Math.max(left.lines.length, right.lines.length);
  const blankLeft = " ".repeat(widthOf(left));
  const blankRight = " ".repeat(widthOf(right));
  const lines = Array.from({ length: height }, (_, row) =>
    [
      left.lines[row] ?? blankLeft,
      row === 0 ? connector : " ".repeat(connector.length),
      right.lines[row] ?? blankRight,
    ].join(""),
  );
  return { lines, opensFork: left.opensFork, closesFork: right.closesFork };
}

function widthOf(block: Block): number {
  return block.lines[0]?.length ?? 0;
}

function drawBranches(branches: readonly Series[], pens: Pens, outer: Neighbours): Block {
  const drawn = branches.map((series) =>
    series.length === 0 ? undefined : drawSeries(series, pens, outer),
  );
  const rows = drawn.map((block, index) => {
    const place = index === 0 ? 0 : index === drawn.length - 1 ? 2 : 1;
    return outer.before ? openBranch(block, place, pens.signs) : (block?.lines ?? [""]);
  });
  const width = Math.max(...rows.flat().map((line) => line.length));
  const lines = rows.flatMap((list, index) => {
    const place = index === 0 ? 0 : index === rows.length - 1 ? 2 : 1;
    if (!outer.behind) return list.map((line) => line.padEnd(width));
    const isBare = drawn[index] === undefined || drawn[index]?.closesFork === true;
    return closeBranch(list, { width, isBare, place }, pens.signs);
  });
  return { lines, opensFork: outer.before, closesFork: outer.behind };
}

/** Puts the sign of a fork before each line of a branch. */
function openBranch(block: Block | undefined, place: 0 | 1 | 2, signs: Signs): readonly string[] {
  const { line, fork, down } = signs;
  if (block === undefined) return [`${fork[place]}${line}`];
  const gap = block.opensFork ? "" : " ";
  const side = place === 2 ? " " : down;
  return block.lines.map((text, row) =>
    row === 0 ? `${fork[place]}${line}${gap}${text}` : `${side} ${gap}${text}`,
  );
}

/** Fills each line of a branch up to where the branches meet, and puts the sign there. */
function closeBranch(
  lines: readonly string[],
  at: { readonly width: number; readonly isBare: boolean; readonly place: 0 | 1 | 2 },
  signs: Signs,
): readonly string[] {
  const { line, join, down } = signs;
  return lines.map((text, row) => {
    if (row > 0) return `${text.padEnd(at.width + 2)}${at.place === 2 ? " " : down}`;
    const fill = line.repeat(at.width - text.length + (at.isBare ? 1 : 0));
    return `${text}${at.isBare ? "" : " "}${fill}${line}${join[at.place]}`;
  });
}
