// A run, a stage or an item as lines for people: what it is, how far it is, what failed, what to do next.

import { CACHE_METRICS } from "../../model/cache.ts";
import { ISOLATE_CRASHES_MIN } from "../../model/limits.ts";
import { isRunOver } from "../../model/run.ts";
import { formatDuration } from "../../std/duration.ts";
import { escapeControl, oneLine } from "../../std/text.ts";
import type { AttemptView } from "../../service/queries/list-attempts.ts";
import type { ItemDetail, RunDetail, StageDetail } from "../../service/queries/show-run.ts";
import type { BlockerView } from "../../service/views/blocker-view.ts";
import type { RunView } from "../../service/views/run-view.ts";
import type { StageView } from "../../service/views/stage-view.ts";
import { previewValue, type ValueView } from "../../service/views/value-view.ts";
import { showCount } from "../../std/shown/figures.ts";
import type { Look } from "../render/look.ts";
import { markOf } from "../render/marks.ts";
import { stateWord, causeWords, countStates } from "../../model/drawing/state-words.ts";
import { renderTable, type Cell } from "../render/table.ts";
import { padRight } from "../render/width.ts";
import { showTook } from "./run-table.ts";

/** How and when it is shown. */
export interface Scene {
  readonly look: Look;
  /** Of the store's clock. */
  readonly nowMs: number;
  /** A command of ours as it is printed. */
  readonly command: (words: readonly string[]) => string;
}

/** A run with its stages. */
export function renderRunDetail(detail: RunDetail, scene: Scene): string {
  const { run, stages, failures, unread, lineage, input } = detail;
  const { look } = scene;
  const children = lineage.children.map((child) => child.name).join(", ");
  return [
    renderHead(run, scene),
    ...renderFacts(
      [
        ["Why", run.blocker === undefined ? (run.reason ?? "") : run.blocker.text],
        ["Key", run.key ?? ""],
        [
          "Tags",
          Object.entries(run.tags)
            .map(([key, value]) => `${key}=${value}`)
            .join(", "),
        ],
        [
          "Input",
          input.value === undefined && input.bytes === undefined ? "" : previewValue(input),
        ],
        ["Settings", showSettings(run)],
        ["Life", showLife(run)],
        ["Cache", showCached(run)],
        ["Waited", showWaits(run.waitedMs)],
        ["Parent", lineage.parent?.name ?? ""],
        ["Children", children],
      ],
      look,
    ),
    "",
    renderStages(stages, look),
    ...(failures.length === 0 ? [] : ["", renderFailures(detail, look)]),
    ...(unread === 0 ? [] : [`and ${showCount(unread)} more failed items, not read`]),
    ...renderNext(listNext(detail), scene),
  ].join("\n");
}

function renderHead(run: RunView, scene: Scene): string {
  const { look, nowMs } = scene;
  const mark = markOf(run.state, run.blocker?.kind);
  const state = `${look.alphabet.marks[mark]} ${stateWord(run.state)}`;
  const warnings =
    run.warnings === 0
      ? ""
      : `  ${look.alphabet.warning} ${run.warnings} ${run.warnings === 1 ? "warning" : "warnings"}`;
  const times = [
    `started ${run.startedAt ?? "not yet"}`,
    ...(run.endedAt === undefined ? [] : [`ended ${run.endedAt}`]),
    `took ${showTook(run, nowMs) ?? look.alphabet.none}`,
  ].join("  ");
  return [
    `${look.paint.mark(mark, state)}  ${look.paint.tone("strong", `${run.pipeline} ${run.name}`)}${warnings}`,
    `  ${times}`,
    `  ${look.paint.tone("faint", `id ${run.id}  definition ${run.definition}`)}`,
  ].join("\n");
}

/** Lines with a label; those without text are left out. */
function renderFacts(
  facts: readonly (readonly [label: string, text: string])[],
  look: Look,
): readonly string[] {
  return facts
    .filter(([, text]) => text !== "")
    .map(([label, text]) => `  ${look.paint.tone("faint", padRight(label, 10))}${oneLine(text)}`);
}

function showSettings({ settings }: RunView): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${Array.isArray(value) ? value.join("+") : String(value)}`)
    .join(", ");
}

function showLife({ retries, resumes, crashes, state }: RunView): string {
  const isIsolated = crashes >= ISOLATE_CRASHES_MIN && !isRunOver(state);
  const apart = isIsolated ? " (what may have done it runs isolated)" : "";
  return [
    retries === 0 ? "" : `${retries} ${retries === 1 ? "retry" : "retries"}`,
    resumes === 0 ? "" : `${resumes} ${resumes === 1 ? "resume" : "resumes"}`,
    crashes === 0 ? "" : `${crashes} ${crashes === 1 ? "crash" : "crashes"}${apart}`,
  ]
    .filter((text) => text !== "")
    .join(", ");
}

function showCached({ metrics }: RunView): string {
  const count = (name: keyof typeof CACHE_METRICS): number => metrics[CACHE_METRICS[name]] ?? 0;
  if (count("hit") + count("miss") === 0) return "";
  return `${count("hit")} unchanged, ${count("changed")} changed, ${count("added")} added`;
}

function showWaits(waitedMs: Readonly<Record<string, number>>): string {
  return Object.entries(waitedMs)
    .filter(([, ms]) => ms > 0)
    .map(([cause, ms]) => `${causeWords(cause)} ${formatDuration(ms)}`)
    .join(", ");
}

function renderStages(stages: readonly StageView[], look: Look): string {
  return renderTable(
    {
      columns: [
        { head: "" },
        { head: "STAGE", flexible: true },
        { head: "STATE" },
        { head: "ATTEMPTS", align: "right" },
        { head: "TOOK" },
        { head: "ITEMS" },
        { head: "WHY", flexible: true },
      ],
      rows: stages.map((stage) => toStageRow(stage, look)),
    },
    look,
  );
}

function toStageRow(stage: StageView, look: Look): readonly (Cell | string)[] {
  const mark = markOf(stage.state, stage.blocker?.kind);
  const paint = (text: string): string => look.paint.mark(mark, text);
  const badge =
    stage.via === "cache" ? " (cached)" : stage.via === "checkpoint" ? " (recovered)" : "";
  const { items } = stage;
  // Of a map it is the attempts of all items; the limit is that of each.
  const isEach = items !== undefined && items.total > 0;
  const tries = stage.attemptsMax === undefined || isEach ? "" : `/${stage.attemptsMax}`;
  return [
    { text: look.alphabet.marks[mark], paint },
    `${stage.stage}${stage.critical === false ? " ?" : ""}`,
    { text: `${stateWord(stage.state)}${badge}`, paint },
    stage.attempts === 0 ? look.alphabet.none : `${stage.attempts}${tries}`,
    stage.durationMs === undefined ? look.alphabet.none : formatDuration(stage.durationMs),
    items === undefined || items.total === 0
      ? look.alphabet.none
      : `${showCount(items.succeeded)}/${showCount(items.total)}`,
    oneLine(sayStageWhy(stage)),
  ];
}

function sayStageWhy(stage: StageView): string {
  if (stage.state === "upstream_failed" && stage.error?.stage !== undefined) {
    return `needs "${stage.error.stage}", which failed`;
  }
  return stage.error?.message ?? stage.blocker?.text ?? stage.reason ?? "";
}

function renderFailures({ failures }: RunDetail, look: Look): string {
  return renderTable(
    {
      columns: [
        { head: "FAILED", align: "right" },
        { head: "STAGE" },
        { head: "CLASS" },
        { head: "MESSAGE", flexible: true },
        { head: "FIRST", flexible: true },
      ],
      rows: failures
        .slice(0, 20)
        .map((failure) => [
          showCount(failure.count),
          failure.stage ?? "",
          failure.class,
          oneLine(failure.message),
          escapeControl(failure.item ?? ""),
        ]),
    },
    look,
  );
}

function listNext({ run, failures }: RunDetail): readonly (readonly string[])[] {
  const [first] = failures;
  const why =
    first?.stage === undefined
      ? []
      : [["why", `${run.name}/${first.stage}${first.item === undefined ? "" : `/${first.item}`}`]];
  if (run.state === "failed" || run.state === "cancelled" || run.state === "waiting") {
    return [["resume", run.name], ...why];
  }
  return run.state === "running" || run.state === "queued" ? [["why", run.name]] : why;
}

function renderNext(next: readonly (readonly string[])[], { command }: Scene): readonly string[] {
  if (next.length === 0) return [];
  return [
    "",
    ...next.map((words, index) => `${index === 0 ? "next  " : "      "}${command(words)}`),
  ];
}

/** A stage with its attempts, what went in and what came out. */
export function renderStageDetail(detail: StageDetail, scene: Scene): string {
  const { run, stage, failures } = detail;
  const { look } = scene;
  const subject = `${run.name}/${stage.stage}`;
  const inputs = Object.entries(stage.input).map(
    ([name, value]) => `${name}: ${previewValue(value)}`,
  );
  return [
    renderStateLine(subject, stage, look),
    ...renderFacts(
      [
        ["Started", stage.startedAt ?? ""],
        ["Ended", stage.endedAt ?? ""],
        ["Took", stage.durationMs === undefined ? "" : formatDuration(stage.durationMs)],
        ["Items", stage.items === undefined ? "" : countStates(stage.items)],
        ["Why", sayStageWhy(stage)],
        ["Waited", showWaits(stage.waitedMs)],
        ...inputs.map((text): readonly [string, string] => ["Input", text]),
        ["Output", showValue(stage.output)],
      ],
      look,
    ),
    ...renderBlocked(stage.blockers),
    ...renderAttempts(stage.history, look),
    ...(stage.items !== undefined && failures.length > 0
      ? renderNext([["items", subject, "--state", "failed"]], scene)
      : renderNext([["why", subject]], scene)),
  ].join("\n");
}

/** An item with its attempts, what went in and what came out. */
export function renderItemDetail(detail: ItemDetail, scene: Scene): string {
  const { run, stage, item } = detail;
  const { look } = scene;
  const subject = `${run.name}/${stage}/${item.key}`;
  return [
    renderStateLine(subject, item, look),
    ...renderFacts(
      [
        ["Place", item.index < 0 ? "" : String(item.index)],
        ["Started", item.startedAt ?? ""],
        ["Ended", item.endedAt ?? ""],
        ["Took", item.durationMs === undefined ? "" : formatDuration(item.durationMs)],
        ["Why", item.error?.message ?? item.blocker?.text ?? item.reason ?? ""],
        ["Waited", showWaits(item.waitedMs)],
        ["Input", showValue(item.input)],
        ["Output", showValue(item.output)],
      ],
      look,
    ),
    ...renderBlocked(item.blockers),
    ...renderAttempts(item.attempts, look),
    ...renderNext([["why", subject]], scene),
  ].join("\n");
}

function showValue(value: ValueView): string {
  return value.value === undefined && value.bytes === undefined ? "" : previewValue(value);
}

function renderStateLine(
  subject: string,
  { state, via, blocker }: Pick<StageView, "state" | "via" | "blocker">,
  look: Look,
): string {
  const mark = markOf(state, blocker?.kind);
  const badge = via === undefined || via === "run" ? "" : `  via ${via}`;
  const shown = `${look.alphabet.marks[mark]} ${stateWord(state)}`;
  return `${look.paint.mark(mark, shown)}  ${look.paint.tone("strong", escapeControl(subject))}${badge}`;
}

function renderBlocked(blockers: readonly BlockerView[]): readonly string[] {
  return blockers
    .filter((blocker) => blocker.kind !== "finished")
    .map((blocker, index) => ` ${index + 1}. ${blocker.kind}: ${oneLine(blocker.text)}`);
}

function renderAttempts(attempts: readonly AttemptView[], look: Look): readonly string[] {
  if (attempts.length === 0) return [];
  const table = renderTable(
    {
      columns: [
        { head: "ATTEMPT", align: "right" },
        { head: "STARTED" },
        { head: "ENDED" },
        { head: "CLASS" },
        { head: "THEN" },
        { head: "MESSAGE", flexible: true },
      ],
      rows: attempts.map((attempt) => [
        String(attempt.n),
        attempt.startedAt ?? look.alphabet.none,
        attempt.endedAt ?? look.alphabet.none,
        attempt.class ?? look.alphabet.none,
        attempt.delayMs === undefined ? "" : `waited ${formatDuration(attempt.delayMs)}`,
        oneLine(attempt.message ?? ""),
      ]),
    },
    look,
  );
  return ["", table];
}
