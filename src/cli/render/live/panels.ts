// What the keys open in place of the stages: failures by kind, the last lines of logs, what everything waits
// for, and the keys themselves. Bounded like the stages they stand in for.

import { showCount } from "../../../std/shown/figures.ts";
import type { Look } from "../look.ts";
import { addressOf, describeWait } from "../phrases.ts";
import { oneLine } from "../../../std/text.ts";
import type { Progress } from "../progress/progress.ts";
import { fitEnd, padLeft, padRight, textWidth } from "../width.ts";

/** Which panel is open. */
export type PanelName = "failures" | "logs" | "why" | "keys";

interface PanelView {
  readonly progress: Progress;
  readonly look: Look;
  readonly nowMs: number;
}

interface PanelSize {
  readonly columnsMax: number;
  readonly rowsMax: number;
}

/** The lines of a panel: at most `rowsMax` of at most `columnsMax` columns. */
export function renderPanel(
  name: PanelName,
  view: PanelView,
  { columnsMax, rowsMax }: PanelSize,
): readonly string[] {
  const lines = PANELS[name](view, rowsMax);
  return lines.slice(0, rowsMax).map((line) => fitPlain(line, columnsMax, view.look));
}

/** Shortens lines that hold no colour; the few that do are short. */
function fitPlain(line: string, columnsMax: number, look: Look): string {
  return line.includes("\x1b") ? line : fitEnd(line, columnsMax, look.alphabet.ellipsis);
}

const PANELS: Readonly<Record<PanelName, (view: PanelView, rowsMax: number) => readonly string[]>> =
  {
    failures: renderFailures,
    logs: renderLogs,
    why: renderWhy,
    keys: ({ look }) => {
      const { dot } = look.alphabet;
      return [
        `f  failures by kind ${dot} again, or Esc: back to the stages`,
        "l  last lines of logs",
        "w  what everything waits for",
        "s  switch to lines, for the rest of this run",
        "?  these keys",
        `Ctrl-C  finish what is running, then stop ${dot} twice: stop at once ${dot} Ctrl-Z: suspend`,
      ];
    },
  };

function renderFailures({ progress, look }: PanelView, rowsMax: number): readonly string[] {
  const groups = progress.failures.byCount();
  if (groups.length === 0) return ["no failures"];
  const shown = groups.slice(0, groups.length > rowsMax ? rowsMax - 1 : rowsMax);
  const countColumns = Math.max(...shown.map(({ count }) => showCount(count).length));
  const stageColumns = Math.max(...shown.map(({ stage }) => textWidth(stage)));
  const lines = shown.map(({ count, stage, message, class: errorClass, firstItem }) => {
    const head = `${padLeft(showCount(count), countColumns)} ${look.alphabet.times} ${padRight(stage, stageColumns)}`;
    const first = firstItem === undefined ? "" : `  first ${oneLine(firstItem)}`;
    return `${head}  ${oneLine(message)} (${errorClass})${first}`;
  });
  const more = groups.length - shown.length;
  return more > 0 ? [...lines, `and ${showCount(more)} more kinds`] : lines;
}

function renderLogs({ progress, look }: PanelView, rowsMax: number): readonly string[] {
  const lines = progress.logs.last(rowsMax);
  if (lines.length === 0) return ["no lines yet"];
  return lines.map(
    ({ stage, item, text, level }) =>
      `${addressOf(stage, item)} ${look.alphabet.pipe} ${level === "info" ? "" : `${level}: `}${oneLine(text)}`,
  );
}

function renderWhy({ progress, look, nowMs }: PanelView): readonly string[] {
  const lines = [...progress.stages.values()].flatMap((stage) =>
    [...stage.waits.values()].map(({ wait, count }) => {
      const subject =
        stage.items === undefined
          ? stage.name
          : `${stage.name} ${look.alphabet.times}${showCount(count)}`;
      return `${subject}  ${describeWait(wait, stage.attemptsMax, nowMs).join(` ${look.alphabet.dot} `)}`;
    }),
  );
  if (lines.length > 0) return lines;
  const pending = progress.stageCounts.pending;
  return [
    pending === 0
      ? "nothing waits"
      : `nothing waits but for earlier stages: ${showCount(pending)} pending`,
  ];
}
