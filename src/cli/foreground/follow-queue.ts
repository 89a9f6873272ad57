// Works the queues in this process: opens the store, watches all runs as one picture, answers signals, closes,
// prints the document, and knows the exit code.

import { isPipeline, type Pipeline } from "../../service/pipeline.ts";
import { openMillrace, type Millrace } from "../../service/millrace.ts";
import type { WorkOptions, WorkSummary } from "../../service/worker/worker.ts";
import type { Settings } from "../../config/resolve.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { RUN_STATES } from "../../model/run.ts";
import type { CliContext } from "../cli-context.ts";
import { canAsk } from "../confirm.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { hooksModule } from "../module-hooks.ts";
import { nextCommand } from "../next-command.ts";
import { leaseOf, threadsOf } from "../settings.ts";
import { emptyTotals, type Closing, type NextStep } from "../render/closing/closing.ts";
import type { LogsShown } from "../render/forms/progress-form.ts";
import { toQueueEvent, toQueueLength, type QueuedRun } from "../render/progress/queue-events.ts";
import { Interruption } from "./interruption.ts";
import { openLogFile, type LogFile } from "./log-file.ts";
import { countWaits } from "../../service/worker/count-waits.ts";
import { sayWaits } from "./say-waits.ts";
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
  /** With `drain`: true while something of its own is to wake. Default: what waits is left, and said. */
  readonly awaits?: (mill: Millrace) => Promise<boolean>;
  readonly logs: LogsShown;
  readonly isStrict: boolean;
  readonly keep: KeepDocument;
  /** The words that go on with it. */
  readonly words: readonly string[];
  /** Done with the open mill before anything else is claimed. Default: nothing. */
  readonly prepare?: (mill: Millrace, tools: Preparation) => Promise<void>;
  /** Done with the open mill when the work is over; answers how many failures there are besides those seen here.
   *  Default: nothing. */
  readonly conclude?: (mill: Millrace) => Promise<number>;
}

/** What a preparation may use. */
export interface Preparation {
  /** Works the queues until they are drained. False: it was interrupted, and nothing more is to be queued. */
  readonly makeRoom: () => Promise<boolean>;
  readonly warn: (text: string) => void;
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
      ...threadsOf(settings),
      lease: leaseOf(settings),
      pipelines: pipelines.filter((each) => isPipeline(each)),
      provide: settings.provide,
      resources: settings.resources.value,
      events: settings.events.value,
      clock: context.clock,
      random: context.random,
      environment: context.env,
      childImports: [hooksModule()],
    });
    const session = new Session({ context, options, mill, interruption, logFile });
    try {
      await options.prepare?.(mill, {
        makeRoom: async () => {
          await session.work({ drain: true });
          return interruption.exitCode === undefined;
        },
        warn: (text) => session.warn(text),
      });
      await session.work();
      return await conclude(await session.toWork());
    } finally {
      session.close();
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

interface SessionParts {
  readonly context: CliContext;
  readonly options: FollowQueueOptions;
  readonly mill: Millrace;
  readonly interruption: Interruption;
  readonly logFile: LogFile | undefined;
}

/** Work as one picture, however often it is begun. The watch is opened when there is something to see. */
class Session {
  readonly #parts: SessionParts;
  #begun: Promise<Work> | undefined;
  #watch: Watch | undefined;
  #runs: number = 0;
  readonly #counts: Partial<Record<keyof WorkSummary["counts"], number>> = {};

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** What was worked on so far, and what shows it. */
  async toWork(): Promise<Work> {
    this.#begun ??= this.#begin();
    const work = await this.#begun;
    return { ...work, summary: { runs: this.#runs, counts: this.#counts } };
  }

  async #begin(): Promise<Work> {
    const { context, options, mill, interruption, logFile } = this.#parts;
    const watch = openWatch(context, {
      plan: planQueue(context, options),
      logs: options.logs,
      logLevel: options.settings.logLevel.value,
      logFile,
    });
    this.#watch = watch;
    const { form } = watch;
    form.begin();
    await tellLengths(this.#parts, watch);
    interruption.attach({
      run: { interrupt: (drainMs) => mill.stopWork(drainMs) },
      resume: nextCommand(context, options.words),
      abandon: () => mill.abandon(),
      onStopping: (state) => form.stopping(state),
      onDying: () => form.abandon(),
    });
    const summary = { runs: 0, counts: {} };
    return { ...this.#parts, watch, follower: follower(watch), summary };
  }

  /** Works the queues as the options say, or until they are drained. Not once it was interrupted. */
  async work({
    drain = this.#parts.options.drain,
  }: { readonly drain?: boolean } = {}): Promise<void> {
    const { options, mill, interruption } = this.#parts;
    const work = await this.toWork();
    if (interruption.exitCode !== undefined) return;
    const { awaits } = options;
    const { runs, counts } = await mill.work({
      concurrency: options.slots,
      pipelines: options.pipelines.map(({ name }) => name),
      drain,
      ...(awaits === undefined ? {} : { awaits: () => awaits(mill) }),
      ...(options.maxRuns === undefined ? {} : { maxRuns: options.maxRuns }),
      ...work.follower,
    });
    this.#runs += runs;
    for (const state of [...RUN_STATES, "returned"] as const) {
      const count = counts[state];
      if (count !== undefined) this.#counts[state] = (this.#counts[state] ?? 0) + count;
    }
  }

  warn(text: string): void {
    if (this.#watch === undefined) this.#parts.context.stderr.write(`warning: ${text}\n`);
    else this.#watch.form.remark({ text, level: "warning" });
  }

  close(): void {
    this.#watch?.close();
  }
}

interface Work extends SessionParts {
  readonly watch: Watch;
  readonly follower: Follower;
  readonly summary: WorkSummary;
}

async function conclude(parts: Work): Promise<ExitCode> {
  const { options, mill, interruption, watch, summary } = parts;
  const failedBefore = (await options.conclude?.(mill)) ?? 0;
  const next = listNext(parts, summary);
  const names = options.pipelines.map(({ name }) => name);
  const waits = options.drain ? await countWaits(mill.store, names) : null;
  if (waits !== null) watch.form.remark({ text: sayWaits(waits), level: "info" });
  watch.form.finish(closeQueue(parts, summary, next));
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
async function tellLengths({ context, options, mill }: SessionParts, watch: Watch): Promise<void> {
  const counts = await mill.store.countRuns();
  for (const { name } of options.pipelines) {
    const queued = counts.get(name)?.queued ?? 0;
    watch.take(toQueueLength(name, queued, context.clock.wallMs()));
  }
}

type Follower = Required<Pick<WorkOptions, "onRun" | "onEvent">>;

/** Remembers which run is which, as long as it is worked on. */
function follower(watch: Watch): Follower {
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
  "run.parked",
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
    waiting: counts.waiting ?? 0,
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
