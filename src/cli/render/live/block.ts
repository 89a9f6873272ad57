// The block that is redrawn below the permanent lines: a rule, the open stages (or the panel that a key
// opened), the stages that are not shown as counts, and a foot with time, counts and keys. Never higher than
// it is told: failing stages come first, then waiting ones, then running ones by their pace.

import { STAGE_STATES } from "../../../model/outcome.ts";
import { showCount, showElapsed } from "../../../std/shown/figures.ts";
import type { Look } from "../look.ts";
import { markOf } from "../marks.ts";
import { stateWord } from "../../../model/drawing/state-words.ts";
import { describeLeft } from "../phrases.ts";
import type { Progress } from "../progress/progress.ts";
import type { StageProgress } from "../progress/stage-progress.ts";
import { fitEnd, textWidth } from "../width.ts";
import { fitLine } from "./fit-line.ts";
import { renderPanel, type PanelName } from "./panels.ts";
import { layoutRows, markOfStage, renderStageRow } from "./stage-row.ts";

/** What a block shows. */
export interface BlockView {
  readonly progress: Progress;
  readonly look: Look;
  readonly nowMs: number;
  /** Opened by a key; undefined: the stages. */
  readonly panel: PanelName | undefined;
  readonly hasKeys: boolean;
  /** When running work is aborted, where the run is being stopped, UTC ms. */
  readonly abortAtMs: number | undefined;
}

/** Where the block may go. */
export interface BlockSize {
  readonly columnsMax: number;
  readonly rowsMax: number;
}

/** The block: at most `rowsMax` lines of at most `columnsMax` columns. */
export function renderBlock(
  view: BlockView,
  { columnsMax, rowsMax }: BlockSize,
): readonly string[] {
  if (rowsMax < 1) return [];
  const foot = renderFoot(view, columnsMax);
  const stopping = renderStopping(view, columnsMax);
  const fixed = stopping === undefined ? [foot] : [stopping, foot];
  const body = renderBody(view, { columnsMax, rowsMax: rowsMax - fixed.length - 1 });
  const rule = view.look.paint.tone("faint", view.look.alphabet.rule.repeat(columnsMax));
  return [rule, ...body, ...fixed].slice(-rowsMax);
}

function renderBody(view: BlockView, size: BlockSize): readonly string[] {
  if (size.rowsMax < 1) return [];
  if (view.panel !== undefined) return renderPanel(view.panel, view, size);
  const open = [...view.progress.stages.values()].filter(isOpen).toSorted(compareStages(view));
  // One row is kept for the counts of all that is not shown.
  const shown = open.slice(0, Math.max(1, size.rowsMax - 1)).slice(0, size.rowsMax);
  const layout = layoutRows(shown, size.columnsMax);
  const rows = shown.map((stage) =>
    renderStageRow(stage, layout, { ...view, forecast: view.progress.forecast }),
  );
  const counts = renderCounts(view, shown, size.columnsMax);
  return counts === "" ? rows : [...rows, counts].slice(0, size.rowsMax);
}

function isOpen(stage: StageProgress): boolean {
  return stage.state === "running" || stage.state === "waiting";
}

/** Failing first, then waiting, then the fastest; equals in the order of the definition. */
function compareStages({
  nowMs,
}: BlockView): (left: StageProgress, right: StageProgress) => number {
  const rank = (stage: StageProgress): number => {
    if ((stage.items?.failed ?? 0) > 0) return 0;
    return markOfStage(stage) === "running" ? 2 : 1;
  };
  const pace = (stage: StageProgress): number => stage.rate?.perSecond(nowMs) ?? 0;
  return (left, right) => rank(left) - rank(right) || pace(right) - pace(left);
}

/** `◌ 1 pending   ✓ 2 succeeded`: every stage that has no row of its own. */
function renderCounts(
  { progress, look }: BlockView,
  shown: readonly StageProgress[],
  columnsMax: number,
): string {
  const counts = { ...progress.stageCounts };
  for (const stage of shown) counts[stage.state] -= 1;
  const parts = STAGE_STATES.filter((state) => counts[state] > 0).map((state) => {
    const mark = markOf(state);
    const sign = look.paint.mark(mark, look.alphabet.marks[mark]);
    return { text: `${sign} ${showCount(counts[state])} ${stateWord(state)}`, worth: 1 };
  });
  return fitLine(parts, columnsMax);
}

/** `47m 20s   9,361 ok   39 failed   slots 64/64`, and the keys at the right. */
function renderFoot(view: BlockView, columnsMax: number): string {
  const { progress, look, nowMs } = view;
  const { items, stageCounts, plan, running, failures } = progress;
  const ok = items.total > 0 ? items.succeeded : stageCounts.succeeded;
  const failed = Math.max(failures.total, items.failed);
  const left = progress.forecast?.run(nowMs);
  const facts = fitLine(
    [
      { text: look.paint.tone("strong", showElapsed(nowMs - plan.startedAtMs)), worth: 9 },
      { text: ` ${showCount(ok)} ok`, worth: 7 },
      {
        text: failed > 0 ? ` ${look.paint.mark("failed", `${showCount(failed)} failed`)}` : "",
        worth: 8,
      },
      { text: progress.retries > 0 ? ` ${showCount(progress.retries)} retried` : "", worth: 4 },
      { text: ` slots ${showCount(running)}/${showCount(plan.slots)}`, worth: 5 },
      { text: left === undefined ? "" : ` ${describeLeft(left)}`, worth: 6 },
    ],
    columnsMax,
  );
  if (!view.hasKeys) return facts;
  const keys = KEY_HINTS.find((hint) => textWidth(facts) + 3 + textWidth(hint) <= columnsMax);
  if (keys === undefined) return facts;
  const gap = " ".repeat(columnsMax - textWidth(facts) - textWidth(keys));
  return facts + gap + look.paint.tone("faint", keys);
}

const KEY_HINTS = ["f failures  l logs  w why  ? keys", "? keys"] as const;

function renderStopping(view: BlockView, columnsMax: number): string | undefined {
  const { abortAtMs, progress, nowMs, look } = view;
  if (abortAtMs === undefined) return undefined;
  const left = Math.max(0, Math.ceil((abortAtMs - nowMs) / 1000));
  const what =
    left > 0
      ? `stopping: ${showCount(progress.running)} running, aborted in ${left} s ${look.alphabet.dot} Ctrl-C again stops at once`
      : `stopping: ${showCount(progress.running)} running, aborted now`;
  return look.paint.tone("warning", fitEnd(what, columnsMax, look.alphabet.ellipsis));
}
