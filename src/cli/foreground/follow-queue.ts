// Works the queues in this process: opens the store, watches all runs as one picture, answers signals, closes,
// prints the document, and knows the exit code.

import { isPipeline, type Pipeline } from "../../service/pipeline.ts";
import { openMillrace, type Millrace } from "../../service/millrace.ts";
import type { WorkSummary } from "../../service/worker/worker.ts";
import type { Settings } from "../../config/resolve.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { CliContext } from "../cli-context.ts";
import { canAsk } from "../confirm.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { hooksModule } from "../module-hooks.ts";
import { nextCommand } from "../next-command.ts";
import { leaseOf } from "../settings.ts";
import { emptyTotals, type Closing, type NextStep } from "../render/closing/closing.ts";
import type { LogsShown } from "../render/forms/progress-form.ts";
import { toQueueEvent, toQueueLength, type QueuedRun } from "../render/progress/queue-events.ts";
import { Interruption } from "./interruption.ts";
import { openLogFile } from "./log-file.ts";
import { openWatch, type Watch } from "./watch.ts";
import type { KeepDocument } from "./with-document.ts";

/** How the queues are worked. */
export interface FollowQueueOptions {
  readonly pipelines: readonly Pipeline[];
  readonly settings: Settings;
  /** Runs at once. */
  readonly slots: number;
  readonly drain: boolean;
  readonly maxRuns: number | undefined;
  readonly logs: LogsShown;
  readonly isStrict: boolean;
  readonly keep: KeepDocument;
  /** The words that go on with it. */
  readonly words: readonly string[];
  /** Done with the open mill before anything is claimed. Default: nothing. */
  readonly prepare?: (mill: Millrace) => Promise<void>;
  /** Done with the open mill when the work is over; answers how many failures there are besides those seen here.
   *  Default: nothing. */
  readonly conclude?: (mill: Millrace) => Promise<number>;
}

/** Works the queues and says how it went. Resolves to the exit code. */
export async function followQueue(
  context: CliContext,
  options: FollowQueueOptions,
): Promise<ExitCode> {
  const { settings, pipelines } = options;
  const logFile = openLogFile(context, settings.logFile.value);
  const interruption = new Interruption(context);
  try {
    await using mill = await openMillrace({
      store: settings.store.value,
      busyTimeoutMs: settings.busyTimeoutMs.value,
      concurrency: settings.attemptsInFlight.value,
      lease: leaseOf(settings),
      pipelines: pipelines.filter((each) => isPipeline(each)),
      provide: settings.provide,
      clock: context.clock,
      random: context.random,
      environment: context.env,
      childImports: [hooksModule()],
    });
    await options.prepare?.(mill);
    const watch = openWatch(context, {
      plan: planQueue(context, options),
      logs: options.logs,
      logLevel: settings.logLevel.value,
      logFile,
    });
    try {
      return await work({ context, options, mill, interruption, watch });
    } finally {
      watch.close();
    }
  } finally {
    interruption.close();
    logFile?.close();
  }
}

function planQueue(
  context: CliContext,
  { pipelines, settings, slots }: FollowQueueOptions,
): Parameters<typeof openWatch>[1]["plan"] {
  return {
    run: "queue",
    isQueue: true,
    pipeline: namesOf(pipelines),
    definition: "",
    store: settings.store.value,
    stages: pipelines.map(({ name }) => ({ name, kind: "map", attemptsMax: 1 })),
    startedAtMs: context.clock.wallMs(),
    slots,
  };
}

function namesOf(pipelines: readonly Pipeline[]): string {
  return pipelines.map(({ name }) => name).join(", ");
}

interface Work {
  readonly context: CliContext;
  readonly options: FollowQueueOptions;
  readonly mill: Millrace;
  readonly interruption: Interruption;
  readonly watch: Watch;
}

async function work(parts: Work): Promise<ExitCode> {
  const { context, options, mill, interruption, watch } = parts;
  const { form } = watch;
  const resume = nextCommand(context, options.words);
  form.begin();
  await tellLengths(parts);
  interruption.attach({
    run: { interrupt: (drainMs) => mill.stopWork(drainMs) },
    resume,
    abandon: () => mill.abandon(),
    onStopping: (state) => form.stopping(state),
    onDying: () => form.abandon(),
  });
  const summary = await mill.work({
    concurrency: options.slots,
    pipelines: options.pipelines.map(({ name }) => name),
    drain: options.drain,
    ...(options.maxRuns === undefined ? {} : { maxRuns: options.maxRuns }),
    ...follower(watch),
  });
  const failedBefore = (await options.conclude?.(mill)) ?? 0;
  const next = listNext(parts, summary);
  form.finish(closeQueue(parts, summary, next));
  watch.close();
  options.keep({
    schema: "millrace.queue-run/1",
    runs: summary.runs,
    counts: summary.counts,
    failures: watch.progress.failures.byCount(),
    next: next.map(({ command }) => command),
  });
  return failedBefore > 0 && interruption.exitCode === undefined
    ? EXIT.failed
    : decideExit(parts, summary);
}

/** How long the queues are at the beginning: what comes later is counted as it comes. */
async function tellLengths({ context, options, mill, watch }: Work): Promise<void> {
  const counts = await mill.store.countRuns();
  for (const { name } of options.pipelines) {
    const queued = counts.get(name)?.queued ?? 0;
    watch.take(toQueueLength(name, queued, context.clock.wallMs()));
  }
}

/** Remembers which run is which, as long as it is worked on. */
function follower(
  watch: Watch,
): Required<Pick<Parameters<Millrace["work"]>[0] & object, "onRun" | "onEvent">> {
  const runs = new Map<string, QueuedRun>();
  const early = new Map<string, MillraceEvent[]>();
  const take = (event: MillraceEvent): void => {
    const run = runs.get(event.run);
    if (run === undefined) {
      // A run's first events come while it is being handed over.
      early.set(event.run, [...(early.get(event.run) ?? []), event]);
      return;
    }
    const shown = toQueueEvent(event, run);
    if (shown !== undefined) watch.take(shown);
    if (ENDS.includes(event.type)) runs.delete(event.run);
  };
  return {
    onRun({ id, name, definition }) {
      runs.set(id, { pipeline: definition.name, name });
      const held = early.get(id) ?? [];
      early.delete(id);
      for (const event of held) take(event);
    },
    onEvent: take,
  };
}

const ENDS: readonly string[] = [
  "run.succeeded",
  "run.failed",
  "run.skipped",
  "run.cancelled",
  "run.returned",
];

function closeQueue(parts: Work, summary: WorkSummary, next: readonly NextStep[]): Closing {
  const { context, options, watch } = parts;
  const { progress } = watch;
  const { counts } = summary;
  const failed = counts.failed ?? 0;
  const isStopped = parts.interruption.exitCode !== undefined;
  const items = {
    ...emptyTotals(),
    total: summary.runs,
    succeeded: counts.succeeded ?? 0,
    failed,
    skipped: counts.skipped ?? 0,
    cancelled: counts.cancelled ?? 0,
    pending: counts.returned ?? 0,
  };
  return {
    run: namesOf(options.pipelines),
    isQueue: true,
    pipeline: "queue",
    state: isStopped ? "waiting" : failed > 0 ? "failed" : "succeeded",
    reason: isStopped ? "interrupted" : undefined,
    durationMs: context.clock.wallMs() - progress.plan.startedAtMs,
    workMs: progress.workMs,
    warnings: 0,
    stages: emptyTotals(),
    items,
    retried: progress.retried,
    kept: { stages: 0, items: 0 },
    cache: undefined,
    waited: [],
    slowest: [],
    failures: progress.failures.byCount(),
    otherFailures: progress.failures.ungrouped,
    outputs: [],
    results: [],
    next,
  };
}

function listNext(parts: Work, summary: WorkSummary): readonly NextStep[] {
  const { context, options, watch, interruption } = parts;
  const command = (...words: readonly string[]): string => nextCommand(context, words);
  const steps: NextStep[] = [];
  if (interruption.exitCode !== undefined)
    steps.push({ command: command(...options.words), purpose: "go on with the queue" });
  if ((summary.counts.failed ?? 0) > 0) {
    // Where it is printed for nobody to answer, it has to be said beforehand.
    const words = ["queue", "retry-failed", ...(canAsk(context) ? [] : ["--yes"])];
    steps.push({ command: command(...words), purpose: "queue what failed again" });
    const [first] = watch.progress.failures.byCount();
    if (first?.firstItem !== undefined)
      steps.push({
        command: command("why", first.firstItem),
        purpose: "what happened to the first",
      });
  }
  if (steps.length === 0)
    steps.push({ command: command("queue", "stats"), purpose: "what the queues hold" });
  return steps;
}

function decideExit({ options, interruption }: Work, { counts }: WorkSummary): ExitCode {
  if (interruption.exitCode !== undefined) return interruption.exitCode;
  if ((counts.failed ?? 0) + (counts.cancelled ?? 0) > 0) return EXIT.failed;
  return options.isStrict && (counts.returned ?? 0) > 0 ? EXIT.warnings : EXIT.ok;
}
