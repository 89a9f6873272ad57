// What must be true before a run starts, in memory or durably: its threads can be started, provided values
// are there, stage names are known, the input fits its schema. Nothing has happened yet when it throws.

import { definitionInvalid, stageUnknown, threadFault } from "../model/compile/compile.ts";
import type { PipelineDefinition } from "../model/definition.ts";
import { MillraceError } from "../model/errors.ts";
import { listDownstream, listUpstream } from "../model/graph.ts";
import { CONCURRENCY_MAX, DURATION_MS_MAX, THREADS_MAX } from "../model/limits.ts";
import type { RunSettings } from "../model/run.ts";
import { parseDuration, type Duration } from "../std/duration.ts";
import { countProcessors } from "../std/machine.ts";

/** What a caller may choose for one run. */
export interface RunChoices {
  /** These stages end `skipped` (`operator`). */
  readonly skip?: readonly string[];
  /** Just these stages; the others end `skipped`. */
  readonly only?: readonly string[];
  /** This stage and all it needs; the others end `skipped`. */
  readonly until?: string;
  /** Attempts at once, 1 to 10,000. Default 32. */
  readonly concurrency?: number;
  /** Overrides the pipeline's `failFast`. */
  readonly failFast?: boolean;
  /** One attempt each. Default false. */
  readonly noRetry?: boolean;
  /** True, or the stages for which the cache is not asked; what they make is stored there. Default none. */
  readonly force?: boolean | readonly string[];
  /** Longest active time of the run. */
  readonly deadline?: Duration;
}

/** Refuses stages for threads where no module is named: such a definition was accepted because the command fills it in.
 *  DEFINITION_INVALID. */
export function refuseThreadsWithoutModule({ name, module, stages }: PipelineDefinition): void {
  if (module !== null) return;
  const found = stages.find(({ runIn }) => runIn === "thread");
  if (found === undefined) return;
  throw definitionInvalid(name, [threadFault(found.name)]);
}

/** Names every provided value that is missing (PROVIDED_MISSING). */
export function checkProvided(
  definition: PipelineDefinition,
  provide: Readonly<Record<string, unknown>>,
): void {
  const missing = definition.provided.filter(({ name }) => provide[name] === undefined);
  if (missing.length === 0) return;
  const list = missing.map(({ name, stages }) => `"${name}" (needed by ${stages.join(", ")})`);
  throw new MillraceError(
    "PROVIDED_MISSING",
    `Pipeline "${definition.name}" needs values that nobody provides: ${list.join(", ")}.`,
    {
      hint: `pass provide: { ${missing.map(({ name }) => name).join(", ")} }`,
      details: { missing: missing.map(({ name }) => name) },
    },
  );
}

/** The choices as settings that are kept with the run. Faults are thrown: STAGE_UNKNOWN, OPTION_INVALID. */
export function toSettings(definition: PipelineDefinition, choices: RunChoices): RunSettings {
  const known = (name: string): number => {
    const position = definition.positions.get(name);
    if (position === undefined) throw stageUnknown(definition, name);
    return position;
  };
  choices.skip?.forEach(known);
  const only = listOnly(definition, choices, known);
  checkConcurrency(choices.concurrency);
  const force = toForce(choices.force, known);
  const deadlineMs = parseDeadline(choices.deadline);
  return {
    ...(choices.skip === undefined || choices.skip.length === 0 ? {} : { skip: choices.skip }),
    ...(only === undefined ? {} : { only }),
    ...(choices.concurrency === undefined ? {} : { concurrency: choices.concurrency }),
    ...(choices.failFast === undefined ? {} : { failFast: choices.failFast }),
    ...(choices.noRetry === undefined ? {} : { noRetry: choices.noRetry }),
    ...(force === undefined ? {} : { force }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

function toForce(
  force: RunChoices["force"],
  known: (name: string) => number,
): RunSettings["force"] | undefined {
  if (force === undefined || typeof force === "boolean") return force === true ? true : undefined;
  force.forEach(known);
  return force.length === 0 ? undefined : force;
}

function listOnly(
  definition: PipelineDefinition,
  choices: RunChoices,
  known: (name: string) => number,
): readonly string[] | undefined {
  if (choices.only !== undefined) {
    choices.only.forEach(known);
    return choices.only;
  }
  if (choices.until === undefined) return undefined;
  const upstream = listUpstream(definition.graph, [known(choices.until)]);
  return definition.stages.flatMap((stage, index) => (upstream.has(index) ? [stage.name] : []));
}

/** A stage and everything after it, by name. STAGE_UNKNOWN lists the names. */
export function listFrom(definition: PipelineDefinition, from: string): ReadonlySet<string> {
  const position = definition.positions.get(from);
  if (position === undefined) throw stageUnknown(definition, from);
  const found = listDownstream(definition.graph, [position]);
  return new Set(
    definition.stages.flatMap((stage, index) => (found.has(index) ? [stage.name] : [])),
  );
}

/** OPTION_INVALID for anything but a whole number from 1 to 10,000. */
export function checkConcurrency(concurrency: number | undefined): void {
  checkCount("concurrency", concurrency, CONCURRENCY_MAX);
}

/** The worker threads that a process may have at once: as asked, else one per processor. OPTION_INVALID for anything
 *  but a whole number from 1 to 256. */
export function toThreadsMax(threads: number | undefined): number {
  checkCount("threads", threads, THREADS_MAX);
  return threads ?? Math.min(countProcessors(), THREADS_MAX);
}

function checkCount(name: string, count: number | undefined, max: number): void {
  if (count === undefined) return;
  if (Number.isSafeInteger(count) && count >= 1 && count <= max) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `${name}: expected a whole number from 1 to ${max}; got ${String(count)}.`,
  );
}

/** The module of a pipeline is imported to find a stage of it: a program that works then is not started. `deed`: what
 *  it does. FEATURE_UNAVAILABLE. */
export function refuseInImport(deed: string): void {
  if (!(Symbol.for("millrace.importing") in globalThis)) return;
  throw new MillraceError(
    "FEATURE_UNAVAILABLE",
    `The module of a pipeline ${deed} when it is imported, so that no stage of it can be called apart.`,
    { hint: "put what starts work behind `if (import.meta.main)`" },
  );
}

function parseDeadline(deadline: Duration | undefined): number | undefined {
  if (deadline === undefined) return undefined;
  const parsed = parseDuration(deadline);
  if (parsed.ok && parsed.value >= 1 && parsed.value <= DURATION_MS_MAX) return parsed.value;
  const why = parsed.ok ? `expected 1 ms to 366 days; got ${String(deadline)}` : parsed.error;
  throw new MillraceError("OPTION_INVALID", `deadline: ${why}.`);
}

/** The input after its schema; INPUT_INVALID with every path otherwise. */
export async function checkInput(definition: PipelineDefinition, value: unknown): Promise<unknown> {
  return await checkOne(definition, value, "input");
}

/** The same for several; INPUT_INVALID names the first that does not fit. */
export async function checkInputs(
  definition: PipelineDefinition,
  values: readonly unknown[],
): Promise<readonly unknown[]> {
  const checked: unknown[] = [];
  for (const [index, value] of values.entries())
    checked.push(await checkOne(definition, value, `input ${index} of ${values.length}`));
  return checked;
}

async function checkOne(
  definition: PipelineDefinition,
  value: unknown,
  subject: string,
): Promise<unknown> {
  if (definition.input === null) return value;
  const result = await definition.input["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  const faults = result.issues.slice(0, 50).map((issue) => ({
    path: (issue.path ?? [])
      .map((part) => String(typeof part === "object" ? part.key : part))
      .join("."),
    message: issue.message,
  }));
  const lines = faults.map(({ path, message }) => `  ${path === "" ? "input" : path}: ${message}`);
  throw new MillraceError(
    "INPUT_INVALID",
    `The ${subject} of pipeline "${definition.name}" does not fit:\n${lines.join("\n")}`,
    { hint: "nothing was started", details: { pipeline: definition.name, faults } },
  );
}
