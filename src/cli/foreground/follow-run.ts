// Works one run in this process from its start to its last word: opens the store, watches, answers signals,
// closes, prints the document, and knows the exit code. The verbs differ only in how they start it.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isPipeline } from "../../service/pipeline.ts";
import { openMillrace, type Millrace } from "../../service/millrace.ts";
import type { RunHandle } from "../../service/run-handle.ts";
import { showRun } from "../../service/queries/show-run.ts";
import type { RunResult } from "../../service/run-result.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Target } from "../load-pipeline.ts";
import { printDocument } from "../print.ts";
import { makeClosing } from "../render/closing/closing.ts";
import type { LogsShown } from "../render/forms/progress-form.ts";
import type { PlannedRun } from "../render/progress/progress.ts";
import { Interruption } from "./interruption.ts";
import { openLogFile } from "./log-file.ts";
import { listNextSteps, resumeCommand } from "./next-steps.ts";
import { readRunDocument } from "./run-document.ts";
import { openWatch, type Watch } from "./watch.ts";

/** What the verbs share. */
export interface FollowOptions {
  readonly target: Target;
  readonly logs: LogsShown;
  /** Warnings give exit 3. */
  readonly isStrict: boolean;
  /** Starts, resumes or reruns; every event must go to `onEvent` from the first one on. */
  readonly start: (mill: Millrace, onEvent: (event: MillraceEvent) => void) => Promise<RunHandle>;
  /** Said before the work begins: what a resume keeps. */
  readonly describe?: (handle: RunHandle) => readonly string[];
}

/** Works the run and says how it ended. Resolves to the exit code; rejects for what keeps it from starting. */
export async function followRun(context: CliContext, options: FollowOptions): Promise<ExitCode> {
  const { settings, pipelines } = options.target;
  // First of all: a file that cannot be written must not stop a run that has begun.
  const logFile = openLogFile(context, settings.logFile.value);
  await using mill = await openMillrace({
    store: settings.store.value,
    busyTimeoutMs: settings.busyTimeoutMs.value,
    concurrency: settings.attemptsInFlight.value,
    pipelines: pipelines.filter((each) => isPipeline(each)),
    provide: settings.provide,
    clock: context.clock,
    random: context.random,
    environment: context.env,
  });
  const early: MillraceEvent[] = [];
  let onEvent = (event: MillraceEvent): void => {
    early.push(event);
  };
  const handle = await options.start(mill, (event) => onEvent(event));
  const watch = openWatch(context, {
    plan: {
      ...planRun(context, handle, options.target),
      keptStages: await listKept(mill, handle),
    },
    logs: options.logs,
    logLevel: settings.logLevel.value,
    logFile,
  });
  onEvent = (event) => watch.take(event);
  try {
    return await work({ context, options, mill, handle, watch, early });
  } finally {
    watch.close();
  }
}

interface Work {
  readonly context: CliContext;
  readonly options: FollowOptions;
  readonly mill: Millrace;
  readonly handle: RunHandle;
  readonly watch: Watch;
  /** Told before there was anyone to show it. */
  readonly early: readonly MillraceEvent[];
}

async function work({ context, options, mill, handle, watch, early }: Work): Promise<ExitCode> {
  const { form, progress } = watch;
  const isKept = !options.target.settings.store.value.startsWith("memory:");
  const named = { context, run: handle.name, isKept };
  const interruption = new Interruption({
    context,
    run: handle,
    resume: resumeCommand(named),
    onStopping: (stopping) => form.stopping(stopping),
    onDying: () => form.abandon(),
  });
  try {
    if (handle.created) form.begin();
    for (const line of options.describe?.(handle) ?? []) form.remark({ text: line, level: "info" });
    for (const event of early) watch.take(event);
    const result = await handle.result();
    const next = listNextSteps({ ...named, result });
    const exists = (path: string): boolean => existsSync(resolve(context.cwd, path));
    form.finish(makeClosing(progress, result, { next, exists }));
    watch.close();
    if (context.flags.json) {
      const commands = next.map(({ command }) => command);
      printDocument(context, await readRunDocument(mill, { handle, result, next: commands }));
    }
    return decideExit(result, { isStrict: options.isStrict, interrupted: interruption.exitCode });
  } finally {
    interruption.close();
  }
}

/** Stages that an earlier epoch, or the run that gave its results, had finished. */
async function listKept(mill: Millrace, handle: RunHandle): Promise<readonly string[]> {
  if (handle.resumed === undefined) return [];
  const { stages } = await showRun(mill.store, handle.id);
  return stages.flatMap(({ stage, state }) => (state === "succeeded" ? [stage] : []));
}

/** What is known of the run before anything of it happens. */
function planRun(context: CliContext, handle: RunHandle, { settings }: Target): PlannedRun {
  const { definition } = handle;
  return {
    run: handle.name,
    pipeline: definition.name,
    definition: definition.hash.slice(0, 6),
    store: settings.store.value,
    startedAtMs: context.clock.wallMs(),
    slots: settings.attemptsInFlight.value,
    stages: definition.stages.map(toPlannedStage),
  };
}

function toPlannedStage(stage: PipelineDefinition["stages"][number]): PlannedRun["stages"][number] {
  return { name: stage.name, kind: stage.kind, attemptsMax: stage.retry.attempts };
}

interface ExitFacts {
  readonly isStrict: boolean;
  readonly interrupted: ExitCode | undefined;
}

/** The exit code of a run that has ended or was parked. */
export function decideExit(result: RunResult, { isStrict, interrupted }: ExitFacts): ExitCode {
  switch (result.state) {
    case "waiting":
      return interrupted ?? EXIT.interrupted;
    case "failed":
      return result.reason === "deadline" ? EXIT.deadline : EXIT.failed;
    case "cancelled":
      return EXIT.failed;
    case "skipped":
      return EXIT.ok;
    case "succeeded":
      return isStrict && result.warnings > 0 ? EXIT.warnings : EXIT.ok;
  }
}
