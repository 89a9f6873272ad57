// One line of the block for one open stage: mark, name, and what there is to know of it now. Name and count
// always stay; the rest goes in order of worth when the window is narrow.

import {
  showCount,
  showElapsed,
  showRate,
  showRemaining,
  showDuration,
} from "../../../std/shown/figures.ts";
import type { Look } from "../look.ts";
import { markOf, type Mark } from "../marks.ts";
import { attemptOf, describeWait } from "../phrases.ts";
import { oneLine } from "../../../std/text.ts";
import type { Forecast } from "../progress/progress.ts";
import {
  countEnded,
  countWaiting,
  mainWait,
  remainingMs,
  type ItemCounts,
  type StageProgress,
} from "../progress/stage-progress.ts";
import { fitEnd, fitMiddle, padLeft, padRight, textWidth } from "../width.ts";
import { renderBar } from "./bar.ts";
import { fitLine, type LinePart } from "./fit-line.ts";

/** How wide the columns of all rows of a block are, so that they stand below each other. */
export interface RowLayout {
  readonly columnsMax: number;
  readonly nameColumns: number;
  readonly countColumns: number;
}

const NAME_COLUMNS_MAX = 28;
const BAR_COLUMNS_MAX = 20;
const BAR_COLUMNS_MIN = 8;

/** The layout that fits these stages. */
export function layoutRows(stages: readonly StageProgress[], columnsMax: number): RowLayout {
  const names = stages.map(({ name }) => textWidth(name));
  const counts = stages.map(({ items }) => (items === undefined ? 0 : showDone(items).length));
  return {
    columnsMax,
    nameColumns: Math.min(NAME_COLUMNS_MAX, Math.floor(columnsMax / 3), Math.max(0, ...names)),
    countColumns: Math.max(0, ...counts),
  };
}

/** How a stage is drawn now: a map whose open items all wait is drawn as waiting. */
export function markOfStage(stage: StageProgress): Mark {
  const wait = mainWait(stage);
  const isWaiting =
    stage.items === undefined
      ? stage.state === "waiting"
      : stage.state === "running" && stage.items.running === 0 && stage.items.waiting > 0;
  if (isWaiting) return wait?.wait.kind === "retry" ? "retry" : "waiting";
  return stage.state === "waiting" ? "waiting" : markOf(stage.state);
}

/** What a line is drawn from besides its stage. */
export interface RowView {
  readonly look: Look;
  readonly nowMs: number;
  /** Once earlier runs were read. Default: they were not. */
  readonly forecast?: Forecast | undefined;
}

/** The line of an open stage. */
export function renderStageRow(
  stage: StageProgress,
  layout: RowLayout,
  { look, nowMs, forecast }: RowView,
): string {
  const mark = markOfStage(stage);
  const name = fitMiddle(stage.name, layout.nameColumns, look.alphabet.ellipsis);
  const head = `${look.paint.mark(mark, look.alphabet.marks[mark])} ${padRight(name, layout.nameColumns)}`;
  const room = layout.columnsMax - 2 - layout.nameColumns - 2;
  const rest =
    stage.items === undefined
      ? renderPlain(stage, { look, nowMs, forecast, room })
      : renderItems(stage, stage.items, { look, nowMs, forecast, room, layout });
  return `${head}  ${rest}`.trimEnd();
}

interface RestOptions extends RowView {
  /** Columns left of the line. */
  readonly room: number;
}

function showDone(items: ItemCounts): string {
  return `${showCount(countEnded(items))}/${showCount(items.total)}`;
}

function renderItems(
  stage: StageProgress,
  items: ItemCounts,
  options: RestOptions & { readonly layout: RowLayout },
): string {
  const { look, nowMs, forecast, room, layout } = options;
  const { paint } = look;
  const perSecond = stage.rate?.perSecond(nowMs) ?? 0;
  const leftMs = remainingMs(stage, nowMs) ?? leftByPast(stage, forecast, nowMs);
  const done = padLeft(showDone(items), layout.countColumns);
  if (textWidth(done) > room) return fitEnd(done, room, look.alphabet.ellipsis);
  const facts: LinePart[] = [
    {
      text: items.failed > 0 ? paint.mark("failed", `${showCount(items.failed)} failed`) : "",
      worth: 8,
    },
    { text: items.running > 0 ? `${showCount(items.running)} running` : "", worth: 5 },
    { text: perSecond > 0 ? showRate(perSecond) : "", worth: 4 },
    { text: leftMs === undefined ? "" : `ETA ${showRemaining(leftMs)}`, worth: 7 },
    // Last, since it comes and goes: what stands before it keeps its place.
    { text: renderWaiting(stage, items, options), worth: 6 },
  ];
  const line = fitLine([{ text: done, worth: 9 }, ...facts], room);
  const columns = Math.min(BAR_COLUMNS_MAX, room - textWidth(line) - 2);
  if (columns < BAR_COLUMNS_MIN || items.total === 0) return line;
  const bar = renderBar(
    {
      succeeded: (countEnded(items) - items.failed) / items.total,
      failed: items.failed / items.total,
    },
    columns,
    look,
  );
  const tail = fitLine(facts, room - textWidth(done) - 2 - columns - 2);
  return tail === "" ? `${done}  ${bar}` : `${done}  ${bar}  ${tail}`;
}

function renderWaiting(stage: StageProgress, items: ItemCounts, options: RestOptions): string {
  const main = mainWait(stage);
  if (items.waiting === 0 || main === undefined) return "";
  const { wait } = main;
  const why =
    wait.kind === "retry"
      ? "to retry"
      : `for ${wait.kind}${wait.name === undefined ? "" : ` ${oneLine(wait.name)}`}`;
  const mark = wait.kind === "retry" ? "retry" : "waiting";
  return options.look.paint.mark(mark, `${showCount(countWaiting(stage))} waiting ${why}`);
}

/** ms until a stage ends that is on time, by earlier runs; undefined: it is not, or they do not tell. */
function leftByPast(
  { name }: StageProgress,
  forecast: Forecast | undefined,
  nowMs: number,
): number | undefined {
  const left = forecast?.stage(name, nowMs);
  return left === undefined || left.isOverdue ? undefined : left.midMs;
}

function renderPlain(stage: StageProgress, { look, nowMs, forecast, room }: RestOptions): string {
  const dot = ` ${look.alphabet.dot} `;
  if (stage.state === "waiting") {
    const wait = mainWait(stage)?.wait;
    const parts = wait === undefined ? [] : describeWait(wait, stage.attemptsMax, nowMs);
    return fitEnd(["waiting", ...parts].join(dot), room, look.alphabet.ellipsis);
  }
  const elapsed = showElapsed(nowMs - (stage.startedAtMs ?? nowMs));
  const attempt = stage.attempts > 1 ? attemptOf(stage.attempts, stage.attemptsMax) : undefined;
  const silent =
    stage.silentMs === undefined ? undefined : `silent for ${showDuration(stage.silentMs)}`;
  const leftMs = leftByPast(stage, forecast, nowMs);
  const eta = leftMs === undefined ? undefined : `ETA ${showRemaining(leftMs)}`;
  const words = [elapsed, eta, attempt, silent].filter((word) => word !== undefined).join(dot);
  return renderReported(stage, words, { look, nowMs, room });
}

/** What a stage said of its own progress: a bar where it knows how much there is. */
function renderReported(stage: StageProgress, words: string, { look, room }: RestOptions): string {
  const { reported } = stage;
  if (reported === undefined) return fitEnd(words, room, look.alphabet.ellipsis);
  const { done, total } = reported;
  const note = reported.note === undefined ? "" : oneLine(reported.note);
  const count = total === undefined ? showCount(done) : `${showCount(done)}/${showCount(total)}`;
  const share = total === undefined || total <= 0 ? 0 : Math.min(1, Math.max(0, done / total));
  const isMeasured = total !== undefined && total > 0;
  const bar = isMeasured ? renderBar({ succeeded: share, failed: 0 }, BAR_COLUMNS_MAX, look) : "";
  const line = fitLine(
    [
      { text: count, worth: 9 },
      { text: bar, worth: 5 },
      { text: words, worth: 6 },
    ],
    room,
  );
  const left = room - textWidth(line) - 2;
  if (note === "" || left < BAR_COLUMNS_MIN) return line;
  return `${line}  ${look.paint.tone("faint", fitEnd(note, left, look.alphabet.ellipsis))}`;
}
