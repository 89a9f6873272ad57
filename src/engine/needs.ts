// What a stage's needs arrive as: plain values, or `Settled` where the need is soft, as copies in durable runs
// and by reference in memory. Values that lie in blobs are loaded first, which is the only reason to wait.

import type { NeedShape, StageDefinition } from "../model/definition.ts";
import type { ItemOutcome, Settled } from "../model/outcome.ts";
import { versionOfText } from "../std/json.ts";
import { decodeValue } from "../std/value.ts";
import type { MapItems } from "./map/map-items.ts";
import type { RunCore } from "./run-core.ts";
import type { StageRun } from "./stage-run.ts";

/** What the function of a stage receives. A promise only if something must be loaded. */
export function gatherNeeds(core: RunCore, stage: StageDefinition): unknown {
  if (core.journal === null) return arrange(core, stage);
  const loads = listLoads(core, stage);
  if (loads.length === 0) return arrange(core, stage);
  return Promise.all(loads).then(() => arrange(core, stage));
}

function arrange(core: RunCore, stage: StageDefinition): unknown {
  if (stage.arrival === "input") return core.readInput();
  const settledAll = stage.trigger !== "all_success";
  const single = stage.arrival === "single" ? stage.needs[0] : undefined;
  if (single !== undefined) return arrive(core, single.shape, settledAll);
  const record: Record<string, unknown> = {};
  for (const need of stage.needs) {
    const value = arrive(core, need.shape, settledAll);
    // Assigned, this one name would change what the record is instead of what it holds.
    if (need.name === "__proto__") Object.defineProperty(record, need.name, { value, ...FIELD });
    else record[need.name] = value;
  }
  return record;
}

const FIELD = { enumerable: true, configurable: true, writable: true } as const;

/** As what one need arrives. */
export function arrive(core: RunCore, shape: NeedShape, settledAll: boolean): unknown {
  switch (shape.kind) {
    case "stage": {
      const stageRun = core.stageAt(shape.stage);
      const soft = settledAll || (stageRun.definition.soft && !shape.required);
      return soft ? toSettled(stageRun) : readValue(stageRun);
    }
    case "input":
      return core.readInput();
    case "provided":
      return core.provide[shape.name];
    case "list":
      return shape.parts.map((part) => arrive(core, part, settledAll));
  }
}

function toSettled(stageRun: StageRun): Settled<unknown> {
  const ending = stageRun.toEnding();
  switch (ending.state) {
    case "succeeded":
      return { status: "succeeded", value: readValue(stageRun) };
    case "skipped":
      return { status: "skipped", reason: ending.reason };
    case "failed":
    case "upstream_failed":
      return { status: ending.state, error: ending.failure };
    case "cancelled":
      return { status: "cancelled" };
  }
}

/** The output of a stage that succeeded: a copy of its own for each reader in durable runs. */
export function readValue(stageRun: StageRun): unknown {
  if (stageRun.state !== "succeeded") return undefined;
  if (stageRun.map !== null && stageRun.value === undefined) return assembleItems(stageRun);
  return stageRun.text === null ? stageRun.value : decodeValue(stageRun.text);
}

/** The list a map stage gives: outputs in item order, or every outcome. */
export function assembleItems(stageRun: StageRun): readonly unknown[] {
  const map = stageRun.map;
  if (map === null) return [];
  const everyOutcome = stageRun.definition.map?.onItemFailure === "continue";
  const list: unknown[] = [];
  for (let index = 0; index < map.size; index += 1) {
    if (everyOutcome) list.push(toItemOutcome(map, index));
    else if (map.stateOf(index) === "succeeded") list.push(readItemValue(map, index));
  }
  return list;
}

/** The output of one item that succeeded. */
export function readItemValue(map: MapItems, index: number): unknown {
  const text = map.texts[index];
  return text === null || text === undefined ? map.values[index] : decodeValue(text);
}

function toItemOutcome(map: MapItems, index: number): ItemOutcome<unknown> {
  const at = { key: map.keyOf(index), index };
  const state = map.stateOf(index);
  const failure = map.failures.get(index);
  switch (state) {
    case "succeeded":
      return { ...at, status: "succeeded", value: readItemValue(map, index) };
    case "skipped":
      return { ...at, status: "skipped", reason: map.reasons.get(index) ?? "returned" };
    default: {
      const status = state === "failed" || state === "upstream_failed" ? state : "cancelled";
      return failure === undefined ? { ...at, status } : { ...at, status, error: failure };
    }
  }
}

/** Loads what lies in blobs and is not in memory yet. */
function listLoads(core: RunCore, stage: StageDefinition): readonly Promise<void>[] {
  const loads: Promise<void>[] = [];
  for (const need of stage.needs) collectShape(core, need.shape, loads);
  if (stage.map?.over.kind === "need") collectShape(core, stage.map.over.shape, loads);
  return loads;
}

function collectShape(core: RunCore, shape: NeedShape, loads: Promise<void>[]): void {
  if (shape.kind === "list") for (const part of shape.parts) collectShape(core, part, loads);
  if (shape.kind === "stage") collectLoads(core, core.stageAt(shape.stage), loads);
}

/** Adds what must be loaded before the output of this stage can be read. */
export function collectLoads(core: RunCore, stageRun: StageRun, loads: Promise<void>[]): void {
  const journal = core.journal;
  if (journal === null || stageRun.state !== "succeeded") return;
  const map = stageRun.map;
  if (map !== null) {
    for (let index = 0; index < map.size; index += 1) {
      const load = loadItem(core, map, index);
      if (load !== null) loads.push(load);
    }
    return;
  }
  const stored = stageRun.stored;
  if (stored === null || stageRun.text !== null) return;
  loads.push(
    Promise.resolve(journal.load(stored)).then((text) => {
      stageRun.text = text;
    }),
  );
}

/** Loads the output of an item that was kept and lies in a blob; null where there is nothing to load. */
export function loadItem(core: RunCore, map: MapItems, index: number): Promise<void> | null {
  const stored = map.stored[index] ?? null;
  if (core.journal === null || stored === null || (map.texts[index] ?? null) !== null) return null;
  return Promise.resolve(core.journal.load(stored)).then((text) => {
    map.texts[index] = text;
  });
}

/** Version of what every item of a map reads besides itself: not of the list, or each change of the list would
 *  change all items. */
export function versionOfItemNeeds(core: RunCore, stage: StageDefinition): string {
  return versionOf(core, stage, false);
}

/** Version of everything a stage is made from: the versions of its needs' endings and of the input. */
export function versionOfNeeds(core: RunCore, stage: StageDefinition): string {
  return versionOf(core, stage, true);
}

function versionOf(core: RunCore, stage: StageDefinition, withList: boolean): string {
  let text = stage.stageVersion;
  for (const need of stage.needs) text += versionOfShape(core, need.shape);
  if (stage.arrival === "input") text += `\n${core.inputVersion ?? ""}`;
  const list = stage.map?.over;
  if (withList && list?.kind === "need" && stage.map?.follows === null)
    text += versionOfShape(core, list.shape);
  return versionOfText(text);
}

/** One line for each value that a need brings. */
function versionOfShape(core: RunCore, shape: NeedShape): string {
  switch (shape.kind) {
    case "list":
      return shape.parts.map((part) => versionOfShape(core, part)).join("");
    case "input":
      return `\n${core.inputVersion ?? ""}`;
    case "stage":
      return `\n${versionOfEnding(core.stageAt(shape.stage))}`;
    case "provided":
      return "";
  }
}

function versionOfEnding(stageRun: StageRun): string {
  // What is not stored has no version of its own: it is as old or new as what it was made from.
  if (stageRun.state === "succeeded")
    return stageRun.outputVersion === null
      ? `from ${stageRun.inputVersion ?? ""}`
      : `=${stageRun.outputVersion}`;
  return `${stageRun.state} ${stageRun.reason ?? stageRun.failure?.fingerprint ?? ""}`;
}
