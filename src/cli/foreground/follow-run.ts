// Works one run in this process from its start to its last word: opens the store, watches, answers signals,
// closes, prints the document, and knows the exit code. The verbs differ only in how they start it.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isPipeline } from "../../service/pipeline.ts";
import { openMillrace, type Millrace } from "../../service/millrace.ts";
import type { RunHandle } from "../../service/run-handle.ts";
import { runName } from "../../service/queries/find-run.ts";
import type { RunResult } from "../../service/run-result.ts";
import { isMillraceError, MillraceError } from "../../model/errors.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import type { Timer } from "../../std/clock.ts";
import type { StartOptions } from "../../service/commands/start-run.ts";
import type { CliContext } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Target } from "../load/load-pipeline.ts";
import { printRemark } from "../print.ts";
import { hooksModule } from "../module-hooks.ts";
import { leaseOf, threadsOf } from "../settings.ts";
import { makeClosing } from "../render/closing/closing.ts";
import type { LogsShown } from "../render/forms/progress-form.ts";
import type { ReportWish } from "../report/report-flag.ts";
import type { PlannedRun } from "../render/progress/progress.ts";
import { Interruption } from "./interruption.ts";
import { openLogFile, type LogFile } from "./log-file.ts";
import { listNextSteps, resumeCommand } from "./next-steps.ts";
import { openWatch, type Watch } from "./watch.ts";
import type { KeepDocument } from "./with-document.ts";

/** What the verbs share. */
export interface FollowOptions {
  readonly target: Target;
  readonly logs: LogsShown;
  readonly keep: KeepDocument;
  /** Warnings give exit 3. */
  readonly isStrict: boolean;
  /** Written when the run has ended. Default: none. */
  readonly report?: ReportWish | undefined;
  /** Starts, resumes or reruns; every event must go to `onEvent` from the first one on. */
  readonly start: (
    mill: Millrace,
    onEvent: (event: MillraceEvent) => void,
    waiting: Waiting,
  ) => Promise<RunHandle>;
  /** The run's own key, as people read it; undefined: none was given. */
  readonly key?: string | undefined;
  /** Said before the work begins: what a resume keeps. */
  readonly describe?: (handle: RunHandle) => readonly string[];
}

/** For a start that may have to wait for a place in its pipeline. */
export type Waiting = Required<Pick<StartOptions, "signal" | "onWait">>;

/** Works the run and says how it ended. Resolves to the exit code; rejects for what keeps it from starting. */
export async function followRun(context: CliContext, options: FollowOptions): Promise<ExitCode> {
  // First of all: a file that cannot be written must not stop a run that has begun.
  const logFile = openLogFile(context, options.target.settings.logFile.value);
  const interruption = new Interruption(context);
  try {
    await using mill = await openMill(context, options.target);
    return await work({ context, options, mill, interruption, logFile });
  } catch (error) {
    throw interruption.exitCode === EXIT.terminated ? toTerminated(error) : error;
  } finally {
    interruption.close();
    logFile?.close();
  }
}

/** What a signal ended before the run was there says which one it was, since the exit code tells. */
function toTerminated(error: unknown): unknown {
  if (!isMillraceError(error) || error.code !== "SHUTDOWN") return error;
  const { message, hint, next, details } = error;
  return new MillraceError("SHUTDOWN", message, {
    ...(hint === undefined ? {} : { hint }),
    ...(next === undefined ? {} : { next }),
    details: { ...details, signal: "SIGTERM" },
    cause: error,
  });
}

function openMill(context: CliContext, { settings, pipelines }: Target): Promise<Millrace> {
  return openMillrace({
    store: settings.store.value,
    busyTimeoutMs: settings.busyTimeoutMs.value,
    concurrency: settings.attemptsInFlight.value,
    ...threadsOf(settings),
    childImports: [hooksModule()],
    lease: leaseOf(settings),
    pipelines: pipelines.filter((each) => isPipeline(each)),
    provide: settings.provide,
    resources: settings.resources.value,
    events: settings.events.value,
    clock: context.clock,
    random: context.random,
    environment: context.env,
  });
}

interface Work {
  readonly context: CliContext;
  readonly options: FollowOptions;
  readonly mill: Millrace;
  readonly interruption: Interruption;
  readonly logFile: LogFile | undefined;
}

async function work({ context, options, mill, interruption, logFile }: Work): Promise<ExitCode> {
  const { target, logs } = options;
  // Told before there is anyone to show it.
  const early: MillraceEvent[] = [];
  let take = (event: MillraceEvent): void => {
    early.push(event);
  };
  const waiting = makeWaiting(context, interruption);
  const handle = await options.start(mill, (event) => take(event), waiting);
  const plan = { ...planRun(context, handle, target), keptStages: await listKept(mill, handle) };
  const logLevel = target.settings.logLevel.value;
  const watch = openWatch(context, { plan, logs, logLevel, logFile });
  try {
    if (handle.created) watch.form.begin();
    const remarks = handle.created
      ? (options.describe?.(handle) ?? [])
      : [sayKnown(handle, options.key)];
    for (const text of remarks) watch.form.remark({ text, level: "info" });
    take = (event) => watch.take(event);
    for (const event of early) take(event);
    return await finish({ context, options, mill, interruption, handle, watch });
  } finally {
    watch.close();
  }
}

/** How long a run has to last before anyone wonders how long it will, ms. */
const LOOK_BACK_MS = 200;

/** The past is read when the run is well under way: its start waits for nothing that only people read. */
function lookBackLater({ context, mill, handle, watch }: Finish): Timer {
  const read = async (): Promise<void> => {
    const { lookBack } = await import("./look-back.ts");
    await lookBack(mill.store, handle.definition, watch);
  };
  return context.clock.setTimer(LOOK_BACK_MS, () => void read(), { unref: true });
}

/** Ctrl-C ends the wait, and people hear what is waited for. */
function makeWaiting(context: CliContext, interruption: Interruption): Waiting {
  const stop = new AbortController();
  interruption.beforeRun(() => stop.abort());
  return {
    signal: stop.signal,
    onWait: (run, holder) =>
      printRemark(
        context,
        `run ${runName(run)} waits: run ${runName(holder)} of pipeline "${run.pipeline}" is running (Ctrl-C gives up)`,
      ),
  };
}

function sayKnown({ name }: RunHandle, key: string | undefined): string {
  return key === undefined
    ? `run ${name} has ended while it waited for a place`
    : `run ${name} has the key ${key} and is not run again`;
}

interface Finish extends Pick<Work, "context" | "options" | "mill" | "interruption"> {
  readonly handle: RunHandle;
  readonly watch: Watch;
}

async function finish(parts: Finish): Promise<ExitCode> {
  const { context, options, mill, interruption, handle, watch } = parts;
  const { form, progress } = watch;
  const isKept = !options.target.settings.store.value.startsWith("memory:");
  const named = { context, run: handle.name, isKept };
  interruption.attach({
    run: handle,
    resume: resumeCommand(named),
    abandon: () => mill.abandon(),
    onStopping: (stopping) => form.stopping(stopping),
    onDying: () => form.abandon(),
  });
  const looking = lookBackLater(parts);
  const result = await handle.result();
  looking.cancel();
  const next = listNextSteps({ ...named, result });
  const exists = (path: string): boolean => existsSync(resolve(context.cwd, path));
  const reported = await report(parts);
  form.finish(makeClosing(progress, result, { next, exists, reported }));
  watch.close();
  if (context.flags.json) {
    const commands = next.map(({ command }) => command);
    const { readRunDocument } = await import("./run-document.ts");
    options.keep(await readRunDocument(mill, { handle, result, next: commands }));
  }
  return decideExit(result, { isStrict: options.isStrict, interrupted: interruption.exitCode });
}

/** Writes the report that was asked for; one that cannot be written changes nothing about the run. */
async function report({ options, mill, handle, watch }: Finish): Promise<string | undefined> {
  const wish = options.report;
  if (wish === undefined) return undefined;
  const { writeReport } = await import("../report/write-report.ts");
  try {
    await writeReport(mill, handle.id, wish);
    return wish.file;
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    watch.form.remark({ text: error.message, level: "warning" });
    return undefined;
  }
}

/** Stages that an earlier epoch, or the run that gave its results, had finished. */
async function listKept(mill: Millrace, handle: RunHandle): Promise<readonly string[]> {
  if (handle.resumed === undefined) return [];
  const { showRun } = await import("../../service/queries/show-run.ts");
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
function decideExit(result: RunResult, { isStrict, interrupted }: ExitFacts): ExitCode {
  switch (result.state) {
    case "queued":
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
