// The comparison of two runs as a title, facts and tables of text.

import type { ComparedStage, CompareReport } from "./compare-report.ts";
import { showDuration } from "../../std/shown/figures.ts";
import { stateWord, causeWords, countStates } from "../../model/drawing/state-words.ts";
import { listKinds, type ReportText } from "./report-tables.ts";

/** Lays a comparison out. */
export function toCompareText(report: CompareReport): ReportText {
  const { before, after, failures } = report;
  return {
    title: `${before.pipeline} ${before.name} and ${after.pipeline === before.pipeline ? "" : `${after.pipeline} `}${after.name}`,
    state: "",
    facts: listFacts(report).filter(([, text]) => text !== ""),
    tables: [
      listStages(report),
      listWaits(report),
      listKinds(failures.new, `Failures of ${after.name} alone`),
      listKinds(failures.gone, `Failures of ${before.name} alone`),
      listKinds(failures.stayed, "Failures of both"),
    ].filter(({ rows }) => rows.length > 0),
  };
}

function listFacts({ before, after, deltaMs }: CompareReport): ReportText["facts"] {
  const pair = (of: (run: CompareReport["before"]) => string): string => {
    const [one, other] = [of(before), of(after)];
    return one === other ? one : `${one === "" ? "–" : one} → ${other === "" ? "–" : other}`;
  };
  const took = pair(({ durationMs }) => (durationMs === undefined ? "" : showDuration(durationMs)));
  return [
    ["Runs", `${before.name} (${before.id}) → ${after.name} (${after.id})`],
    ["State", pair(({ state }) => stateWord(state))],
    ["Started", pair(({ startedAt }) => startedAt ?? "")],
    ["Took", deltaMs === undefined ? took : `${took} (${showDelta(deltaMs)})`],
    ["Items", pair(({ items }) => (items.total === 0 ? "" : countStates(items)))],
    ["Retries", pair(({ retries }) => String(retries))],
    ["Warnings", pair(({ warnings }) => String(warnings))],
    ["Definition", pair(({ definition }) => definition)],
  ];
}

function listStages({ before, after, stages }: CompareReport): ReportText["tables"][number] {
  return {
    title: "Stages",
    columns: ["Stage", before.name, after.name, "Longer"],
    rows: stages.map(({ stage, before: one, after: other, deltaMs }) => [
      stage,
      showStage(one),
      showStage(other),
      deltaMs === undefined ? "" : showDelta(deltaMs),
    ]),
  };
}

function showStage(stage: ComparedStage | undefined): string {
  if (stage === undefined) return "–";
  const { state, via, attempts, durationMs } = stage;
  const reused = via === "cache" || via === "checkpoint" ? `, from ${via}` : "";
  const tries = attempts > 1 ? `, ${attempts} attempts` : "";
  const took = durationMs === undefined || reused !== "" ? "" : `, ${showDuration(durationMs)}`;
  return `${stateWord(state)}${reused}${took}${tries}`;
}

function listWaits({ before, after, waits }: CompareReport): ReportText["tables"][number] {
  return {
    title: "Waits, over all stages and items",
    columns: ["For", before.name, after.name, "Longer"],
    rows: waits.map(({ cause, beforeMs, afterMs }) => [
      causeWords(cause),
      showWait(beforeMs),
      showWait(afterMs),
      showDelta(afterMs - beforeMs),
    ]),
  };
}

/** A wait that one of the two never had is no short one. */
function showWait(ms: number): string {
  return ms === 0 ? "0" : showDuration(ms);
}

function showDelta(ms: number): string {
  if (Math.abs(ms) < 0.5) return "0";
  return `${ms < 0 ? "−" : "+"}${showDuration(Math.abs(ms))}`;
}
