// The closing block as lines for people. Verdict first; every line that has nothing to say is left out. On a
// terminal messages are shortened to its width; commands never are.

import type { RunState } from "../../../model/run.ts";
import { showCount, showCountOf, showDuration, showShare } from "../../../std/shown/figures.ts";
import type { Look } from "../look.ts";
import { markOf } from "../marks.ts";
import { stateWord, causeWords, countStates } from "../../../model/drawing/state-words.ts";
import { oneLine } from "../../../std/text.ts";
import { fitEnd, fitMiddle, padRight, textWidth, wrapText } from "../width.ts";
import type { Closing, ClosingFailure } from "./closing.ts";

const LABEL_COLUMNS = 10;
const FAILURES_MAX = 5;
const OUTPUTS_MAX = 8;
/** Lines of one message that does not fit into one. */
const MESSAGE_LINES_MAX = 4;
/** Where what belongs to a command or a verdict begins, if the text before it is shorter. */
const ASIDE_COLUMN = 40;

/** The closing block. */
export function renderClosing(closing: Closing, look: Look): readonly string[] {
  return [
    renderVerdict(closing, look),
    ...label("Reason", renderReason(closing), look),
    ...label("Stages", closing.isQueue ? [] : [countStates(closing.stages)], look),
    ...label(closing.isQueue ? "Runs" : "Items", renderItems(closing), look),
    ...label("Kept", renderKept(closing), look),
    ...label("Cache", renderCache(closing), look),
    ...label("Waited", renderWaited(closing), look),
    ...label("Slowest", renderSlowest(closing, look), look),
    ...label("Failures", renderFailures(closing, look), look),
    ...label("Outputs", renderOutputs(closing, look), look),
    ...label("Results", closing.results.map(oneLine), look),
    ...label("Next", renderNext(closing, look), look),
  ];
}

function label(word: string, lines: readonly string[], look: Look): readonly string[] {
  return lines
    .filter((line) => line !== "")
    .map((line, index) => {
      const head = padRight(index === 0 ? word : "", LABEL_COLUMNS);
      return `  ${look.paint.tone("faint", head)}${line}`;
    });
}

function renderVerdict(closing: Closing, look: Look): string {
  const { state, pipeline, run, durationMs } = closing;
  const mark = markOf(state);
  const sign = look.alphabet.marks[mark];
  const link = state === "succeeded" || state === "failed" ? "in" : "after";
  const subject = `${pipeline} ${run} ${link} ${showDuration(durationMs)}`;
  const asides = [renderWarnings(closing, look), renderWork(closing)].filter((text) => text !== "");
  const verdict = `${sign} ${verdictWord(state)}`;
  const gap = " ".repeat(Math.max(3, ASIDE_COLUMN - textWidth(`${verdict}  ${subject}`)));
  const tail = asides.length === 0 ? "" : gap + asides.join("   ");
  return `${look.paint.mark(mark, verdict)}  ${look.paint.tone("strong", subject)}${tail}`;
}

function verdictWord(state: RunState): string {
  return stateWord(state);
}

function renderWarnings(closing: Closing, look: Look): string {
  if (closing.warnings === 0) return "";
  const text = `${look.alphabet.warning} ${showCountOf(closing.warnings, "warning")}`;
  return look.paint.tone("warning", text);
}

function renderWork({ workMs, durationMs }: Closing): string {
  const busy = durationMs <= 0 ? 0 : workMs / durationMs;
  // Of a short or lonely run the sum says nothing that its duration does not.
  if (durationMs < 1000 || busy < 1.5) return "";
  return `work ${showDuration(workMs)}, ${showCount(busy)} slots busy on average`;
}

function renderReason({ state, reason }: Closing): string[] {
  return reason === undefined || reason === "" || state === "succeeded" ? [] : [oneLine(reason)];
}

function renderItems({ items, retried }: Closing): string[] {
  if (items.total === 0) return [];
  const after = retried === 0 ? "" : ` (${showCount(retried)} after a retry)`;
  const counts = countStates(items, (state) => (state === "succeeded" ? after : ""));
  return [`${showCount(items.total)}: ${counts}`];
}

function renderKept({ kept }: Closing): string[] {
  const counts = countParts([
    [kept.stages, "stage"],
    [kept.items, "item"],
  ]);
  return counts === "" ? [] : [`${counts} from checkpoints`];
}

function countParts(parts: readonly (readonly [count: number, noun: string])[]): string {
  return parts
    .filter(([count]) => count > 0)
    .map(([count, noun]) => showCountOf(count, noun))
    .join(" and ");
}

function renderCache({ cache }: Closing): string[] {
  if (cache === undefined) return [];
  const { items, stages, changed, added, isAll } = cache;
  const counts = countParts([
    [items, "item"],
    [stages, "stage"],
  ]);
  const rest = `${showCount(changed)} changed, ${showCount(added)} added`;
  const same = counts === "" ? "0" : counts;
  return [`${isAll ? "nothing to do: " : ""}${same} unchanged, ${rest}`];
}

function renderWaited({ waited, workMs, items }: Closing): string[] {
  const waitedMs = waited.reduce((sum, [, ms]) => sum + ms, 0);
  const wholeMs = waitedMs + workMs;
  // Under one in a hundred nobody would look for it.
  if (waitedMs === 0 || waitedMs / wholeMs < 0.01) return [];
  const causes = waited
    .map(([cause, ms]) => `${causeWords(cause)} ${showShare(ms, wholeMs)}`)
    .join(", ");
  const whose = items.total > 0 ? "item" : "stage";
  return [`${showShare(waitedMs, wholeMs)} of ${whose} time: ${causes}`];
}

function renderSlowest({ slowest, stages }: Closing, look: Look): string[] {
  const hasItems = slowest.some((stage) => stage.p50Ms !== undefined);
  if (slowest.length === 0 || (stages.total < 2 && !hasItems)) return [];
  const dot = ` ${look.alphabet.dot} `;
  const parts = slowest.map(({ stage, durationMs, p50Ms, p95Ms }) => {
    const took = `${stage} ${showDuration(durationMs)}`;
    if (p50Ms === undefined || p95Ms === undefined) return took;
    return `${took} (p50 ${showDuration(p50Ms)}, p95 ${showDuration(p95Ms)})`;
  });
  const columns = look.columnsMax - LABEL_COLUMNS - 2;
  while (parts.length > 1 && textWidth(parts.join(dot)) > columns) parts.pop();
  return [parts.join(dot)];
}

function renderFailures({ failures, otherFailures }: Closing, look: Look): string[] {
  const shown = failures.slice(0, FAILURES_MAX);
  const countColumns = Math.max(0, ...shown.map(({ count }) => showCount(count).length));
  const stageColumns = Math.max(0, ...shown.map(({ stage }) => textWidth(stage)));
  const rows = shown.flatMap((failure) => {
    const count = showCount(failure.count).padStart(countColumns);
    return renderFailure(failure, `${count}  ${padRight(failure.stage, stageColumns)}  `, look);
  });
  const more = failures.slice(FAILURES_MAX).reduce((sum, { count }) => sum + count, otherFailures);
  return more === 0 ? rows : [...rows, `${showCount(more)} more of other kinds`];
}

/** The whole message if anything can make room for it: the number of attempts goes first, then the item. */
function renderFailure(failure: ClosingFailure, head: string, look: Look): string[] {
  const { ellipsis } = look.alphabet;
  const message = oneLine(failure.message);
  const item = failure.firstItem === undefined ? "" : `first ${oneLine(failure.firstItem)}`;
  const first = item === "" ? "" : `   ${fitMiddle(item, 40, ellipsis)}`;
  const tries = failure.attempts > 1 ? `, ${failure.attempts} attempts` : "";
  const tails = [
    ` (${failure.class}${tries})${first}`,
    ` (${failure.class})${first}`,
    ` (${failure.class})`,
  ];
  const columns = look.columnsMax - LABEL_COLUMNS - 2;
  const room = columns - textWidth(head) - textWidth(message);
  const tail = tails.find((text) => textWidth(text) <= room);
  if (tail !== undefined) return [head + message + tail];
  const indent = " ".repeat(2);
  const lines = wrapText(message, Math.max(20, columns - indent.length));
  const kept = lines.slice(0, MESSAGE_LINES_MAX).map((line) => indent + line);
  if (lines.length > kept.length) kept.push(`${indent}${ellipsis}`);
  return [`${head.trimEnd()}${tails[0] ?? ""}`, ...kept];
}

function renderOutputs({ outputs }: Closing, look: Look): string[] {
  const shown = outputs.slice(0, OUTPUTS_MAX);
  const columns = Math.max(0, ...shown.map(({ name }) => textWidth(name)));
  const rows = shown.map(({ name, text }) => `${padRight(name, columns)}  ${text}`);
  const more = outputs.length - shown.length;
  const lines = more > 0 ? [...rows, `and ${showCount(more)} more`] : rows;
  return lines.map((line) =>
    fitEnd(line, Math.max(20, look.columnsMax - LABEL_COLUMNS - 2), look.alphabet.ellipsis),
  );
}

function renderNext({ next }: Closing, look: Look): string[] {
  const columns = Math.max(0, ...next.map(({ command }) => textWidth(command)));
  return next.map(({ command, purpose }) => {
    const isWide = LABEL_COLUMNS + 5 + columns + textWidth(purpose) > look.columnsMax;
    if (purpose === "" || isWide) return command;
    return `${padRight(command, columns)}   ${look.paint.tone("faint", purpose)}`;
  });
}
