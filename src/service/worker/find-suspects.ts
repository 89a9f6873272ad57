// What of a run may have taken its worker along: what the worker said last that it runs, and what is recorded as
// started. What has ended since is none of it.

import type { RunCheckpoints } from "../../model/checkpoint.ts";
import type { PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import type { RunRecord } from "../../model/run.ts";
import { canLeaveProcess, isOpen, type Suspect } from "../../policy/crashes.ts";
import type { WorkerRecord } from "../../storage/store.ts";
import { runName } from "../queries/find-run.ts";

/** What is known when a run lost its worker. */
export interface Remains {
  readonly definition: PipelineDefinition;
  readonly checkpoints: RunCheckpoints;
  readonly workers: readonly WorkerRecord[];
}

/** The suspects of a lost claim; empty where nobody knows what was running. */
export function findSuspects(run: RunRecord, remains: Remains): readonly Suspect[] {
  const found = new Map<string, Suspect>();
  const note = (suspect: Suspect): void => {
    const address = JSON.stringify([suspect.stage, suspect.item]);
    const isKnown = found.get(address)?.isolated === true;
    if (!isKnown && isOpen(remains.checkpoints, suspect)) found.set(address, suspect);
  };
  for (const suspect of listBeaten(run, remains)) note(suspect);
  for (const suspect of listStarted(remains)) note(suspect);
  return [...found.values()];
}

/** From the owner's last beat, up to a second old. */
function listBeaten(run: RunRecord, { definition, workers }: Remains): readonly Suspect[] {
  const owner = run.lease?.owner.worker;
  const beat = workers.find((worker) => worker.owner.worker === owner);
  const prefix = `${runName(run)}/`;
  return (beat?.running ?? []).flatMap((name) => {
    if (!name.startsWith(prefix)) return [];
    const subject = parseRunning(definition, name.slice(prefix.length));
    return subject === undefined ? [] : [{ ...subject, isolated: false }];
  });
}

/** `stage` or `stage/key`. Both may have slashes: the longest name of a stage that fits is meant. */
function parseRunning(
  { stages }: PipelineDefinition,
  text: string,
): Pick<Suspect, "stage" | "item"> | undefined {
  const fitting = stages.filter(
    ({ name, map }) => text === name || (map !== null && text.startsWith(`${name}/`)),
  );
  const [first] = fitting.toSorted((left, right) => right.name.length - left.name.length);
  if (first === undefined) return undefined;
  const item = text.slice(first.name.length + 1);
  return { stage: first.name, item: item === "" ? null : item };
}

/** Starts that are stored without an end. */
function listStarted({ definition, checkpoints }: Remains): readonly Suspect[] {
  return definition.stages.flatMap((stage): readonly Suspect[] => {
    const isolated = isIsolatedHere(definition, stage);
    if (stage.map === null) {
      const row = checkpoints.stages.find((one) => one.stage === stage.name);
      return row?.state === "running" ? [{ stage: stage.name, item: null, isolated }] : [];
    }
    const items = checkpoints.items.get(stage.name) ?? [];
    return items.flatMap(({ key, state }) =>
      state === "running" ? [{ stage: stage.name, item: key, isolated }] : [],
    );
  });
}

/** True where a stored start says that nothing else was running in the worker. One that is not idempotent is stored
 *  wherever it runs. */
function isIsolatedHere(definition: PipelineDefinition, stage: StageDefinition): boolean {
  return stage.idempotent && stage.command === null && !canLeaveProcess(definition, stage);
}
