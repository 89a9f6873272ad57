// A pipeline as lines for people: its stages in order, then each stage's settings with where they came from.

import { formatDuration } from "../../std/duration.ts";
import type { Look } from "../render/look.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../../std/text.ts";
import type { PipelineView, ShownStage } from "../../service/views/pipeline/pipeline-view.ts";
import type { ShownResource } from "../../service/views/pipeline/pipeline-resources-view.ts";
import type { ShownSetting } from "../../service/views/pipeline/setting-view.ts";

/** The lines of a pipeline. */
export function renderPipelineDetail(detail: PipelineView, look: Look): string {
  return [
    `${look.paint.tone("strong", detail.pipeline)} ${detail.definition}${
      detail.description === undefined ? "" : `   ${oneLine(detail.description)}`
    }`,
    "",
    renderOrder(detail, look),
    "",
    renderSettings(detail, look),
  ].join("\n");
}

function renderOrder({ stages }: PipelineView, look: Look): string {
  return renderTable(
    {
      columns: [
        { head: "WAVE", align: "right" },
        { head: "STAGE", flexible: true },
        { head: "KIND" },
        { head: "NEEDS", flexible: true },
        { head: "NOTES", flexible: true },
      ],
      rows: stages.map((stage) => [
        String(stage.wave),
        stage.stage,
        stage.kind,
        stage.needs.length === 0 ? look.alphabet.none : stage.needs.join(", "),
        sayNotes(stage),
      ]),
    },
    look,
  );
}

function sayNotes({ critical, trigger, description }: ShownStage): string {
  return [
    critical ? "" : "not critical",
    trigger === "all_success" ? "" : `trigger ${trigger}`,
    description === undefined ? "" : oneLine(description),
  ]
    .filter((note) => note !== "")
    .join("; ");
}

function renderSettings({ stages, settings, resources }: PipelineView, look: Look): string {
  const rows = [
    ...Object.entries(settings).map(([key, setting]) => toRow("", key, setting)),
    ...stages.flatMap((stage) =>
      Object.entries(stage.settings).map(([key, setting]) => toRow(stage.stage, key, setting)),
    ),
    ...resources.flatMap(toResourceRows),
  ];
  return renderTable(
    {
      columns: [
        { head: "OF", flexible: true },
        { head: "SETTING" },
        { head: "VALUE", flexible: true },
        { head: "FROM", flexible: true },
      ],
      rows: rows.map((row) => row.map((text) => text || look.alphabet.none)),
    },
    look,
  );
}

function toResourceRows(shown: ShownResource): readonly (readonly string[])[] {
  const of = `resource ${oneLine(shown.resource)}`;
  const users = shown.users.map(({ stage, key }) =>
    key === undefined ? stage : `${stage} (${oneLine(key)})`,
  );
  const rows = Object.entries(shown.settings).map(([key, setting]) => toRow(of, key, setting));
  return [...rows, [of, "used by", users.join(", "), "pipeline"]];
}

function toRow(of: string, key: string, { value, origin }: ShownSetting): readonly string[] {
  const name = key.endsWith("Ms") ? key.slice(0, -2) : key;
  return [of, name, showSetting(key, value), origin];
}

function showSetting(key: string, value: ShownSetting["value"]): string {
  if (value === null) return "none";
  if (typeof value === "number" && key.endsWith("Ms")) return formatDuration(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string"))
    return oneLine(value.join("; "));
  return typeof value === "string" ? oneLine(value) : JSON.stringify(value);
}
