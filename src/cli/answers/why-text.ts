// The answer of `why` as lines: the sentence first, then what stands in the way in order, then what else is
// worth knowing.

import { formatDuration } from "../../std/duration.ts";
import type { WaitHistory } from "../../service/explain/wait-history.ts";
import type { BlockerView } from "../../service/views/blocker-view.ts";
import { escapeControl, oneLine } from "../../std/text.ts";
import type { Look } from "../render/look.ts";
import { causeWords } from "../../model/drawing/state-words.ts";
import { renderTable } from "../render/table.ts";

/** What is printed. */
export interface WhyAnswer {
  readonly summary: string;
  readonly blockers: readonly BlockerView[];
  readonly notes: readonly string[];
}

/** The lines of an answer. */
export function renderWhy({ summary, blockers, notes }: WhyAnswer, look: Look): string {
  const shown = blockers.filter((blocker) => blocker.kind !== "finished");
  return [
    look.paint.tone("strong", oneLine(summary)),
    ...(shown.length === 0 ? [] : [renderBlockers(shown, look)]),
    ...notes.map((note) => `  ${oneLine(note)}`),
  ].join("\n");
}

function renderBlockers(blockers: readonly BlockerView[], look: Look): string {
  const rows = blockers.map((blocker, index) => [
    ` ${index + 1}.`,
    blocker.kind === blocker.name ? blocker.kind : `${blocker.kind} ${escapeControl(blocker.name)}`,
    oneLine(blocker.text),
    sayHolders(blocker),
    sayExpected(blocker),
  ]);
  const columns = [
    { head: "" },
    { head: "", flexible: true },
    { head: "", flexible: true },
    { head: "", flexible: true },
    { head: "" },
  ];
  // Columns in which nobody says anything would only push the others apart.
  const used = columns.map((_column, index) => rows.some((row) => row[index] !== ""));
  return renderTable(
    {
      columns: columns.filter((_column, index) => used[index]),
      rows: rows.map((row) => row.filter((_cell, index) => used[index])),
    },
    look,
  );
}

function sayHolders({ holders }: BlockerView): string {
  return holders === undefined ? "" : `held by ${holders.map(oneLine).join(", ")}`;
}

function sayExpected({ expectedAt, basis }: BlockerView): string {
  if (expectedAt === undefined) return "";
  return `expected ${expectedAt}${basis === "exact" ? "" : ` (${basis})`}`;
}

/** Past waits, one line each, and what they cost by cause. */
export function renderHistory(history: WaitHistory, look: Look): string {
  const totals = Object.entries(history.totalsMs).filter(([, ms]) => ms > 0);
  const sums = totals.map(([cause, ms]) => `${causeWords(cause)} ${formatDuration(ms)}`).join(", ");
  if (history.waits.length === 0) return sums === "" ? "No past waits." : `Waited: ${sums}.`;
  const table = renderTable(
    {
      columns: [{ head: "FROM" }, { head: "TO" }, { head: "WAITED FOR", flexible: true }],
      rows: history.waits.map(({ blocker, from, to }) => [
        from,
        to,
        oneLine(`${blocker.kind} ${blocker.name}: ${blocker.text}`),
      ]),
    },
    look,
  );
  return sums === "" ? table : `${table}\nWaited: ${sums}.`;
}
