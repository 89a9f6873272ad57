// What a definition says that is allowed and rarely meant, and what is worth knowing before it runs.

import type { PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import { formatDuration } from "../../std/duration.ts";

/**
 * Warnings of a definition.
 * @param deadlineMs Of the run, over the pipeline's own.
 */
export function listWarnings(
  definition: PipelineDefinition,
  deadlineMs?: number,
): readonly string[] {
  const runDeadlineMs = deadlineMs ?? definition.deadlineMs;
  return definition.stages.flatMap((stage) => [
    ...warnOfDeadline(stage, runDeadlineMs),
    ...warnOfStageDeadline(stage),
    ...warnOfItems(stage),
  ]);
}

function warnOfDeadline(stage: StageDefinition, deadlineMs: number | null): readonly string[] {
  const { timeoutMs, name } = stage;
  if (deadlineMs === null || timeoutMs === null || deadlineMs >= timeoutMs) return [];
  return [
    `the run's deadline of ${formatDuration(deadlineMs)} is below the timeout of "${name}", ${formatDuration(timeoutMs)}: that timeout can never be reached`,
  ];
}

function warnOfStageDeadline({
  name,
  timeoutMs,
  deadlineMs,
  retry,
}: StageDefinition): readonly string[] {
  if (deadlineMs === null || timeoutMs === null || deadlineMs > timeoutMs) return [];
  if (deadlineMs === timeoutMs && retry.attempts === 1) return [];
  return [
    `the deadline of "${name}", ${formatDuration(deadlineMs)}, leaves no time for more than one attempt of up to ${formatDuration(timeoutMs)}`,
  ];
}

function warnOfItems({ name, map }: StageDefinition): readonly string[] {
  if (map === null || map.over.kind !== "literal") return [];
  const count = map.over.items.length;
  if (count === 0 || map.onItemFailure !== "continue" || map.minSuccess <= count) return [];
  return [`"${name}" needs ${map.minSuccess} successes, and its list has ${count} items`];
}

const NAMES_MAX = 8;

/** Notes of a definition. */
export function listNotes(definition: PipelineDefinition): readonly string[] {
  const open = definition.stages.filter(
    (stage) => stage.timeoutMs === null && stage.deadlineMs === null,
  );
  if (open.length === 0 || definition.deadlineMs !== null) return [];
  const names = open.slice(0, NAMES_MAX).map((stage) => stage.name);
  const more = open.length > NAMES_MAX ? ` and ${open.length - NAMES_MAX} more` : "";
  return [`no timeout: ${names.join(", ")}${more}; an attempt that hangs hangs for ever`];
}
