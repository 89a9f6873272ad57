// The listing of items.

import { formatDuration } from "../../std/duration.ts";
import { escapeControl, oneLine } from "../../std/text.ts";
import type { ItemView } from "../../service/views/item-view.ts";
import type { Look } from "../render/look.ts";
import { markOf } from "../render/marks.ts";
import { stateWord } from "../../model/drawing/state-words.ts";
import { renderTable } from "../render/table.ts";

/** One line for each item, with headings. */
export function renderItemTable(items: readonly ItemView[], look: Look): string {
  return renderTable(
    {
      columns: [
        { head: "KEY", flexible: true },
        { head: "STATE" },
        { head: "ATTEMPTS", align: "right" },
        { head: "TOOK" },
        { head: "WHY", flexible: true },
      ],
      rows: items.map((item) => [
        escapeControl(item.key),
        {
          text: stateWord(item.state) + badge(item),
          paint: (text) => look.paint.mark(markOf(item.state, item.blocker?.kind), text),
        },
        String(item.attempts),
        item.durationMs === undefined ? look.alphabet.none : formatDuration(item.durationMs),
        oneLine(item.error?.message ?? item.blocker?.text ?? item.reason ?? ""),
      ]),
    },
    look,
  );
}

/** How a success came about, where it was not worked for. */
function badge({ via }: ItemView): string {
  if (via === "cache") return " (cached)";
  return via === "checkpoint" ? " (recovered)" : "";
}
