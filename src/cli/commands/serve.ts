// `millrace serve`: one process that fires schedules, works the queues, watches over both, and offers the API. What
// ends by a signal ends well: first it says that it takes no more, then it drains, and the API is the last to close.

import type { Settings } from "../../config/resolve.ts";
import type { Scheduler } from "../../engine/upkeep/scheduler.ts";
import type { RunningServer, ServeOptions } from "../../http/serve.ts";
import { PAGE_ROWS_MAX, WORKER_RUNS_MAX } from "../../model/limits.ts";
import { busOf } from "../../service/feed/open-bus.ts";
import { startHealthWatch } from "../../service/health/watch-health.ts";
import { contextOf } from "../../service/mill-context.ts";
import type { Millrace } from "../../service/millrace.ts";
import { LiveNotices } from "../../service/listeners/notices/live-notices.ts";
import { startRollUps } from "../../service/rollups/start-roll-ups.ts";
import { startScheduler } from "../../service/schedules/start-scheduler.ts";
import { startWatchdog } from "../../service/watchdog/start-watchdog.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import { keepWorking } from "../../service/worker/keep-working.ts";
import type { Logger } from "../../std/logger.ts";
import { escapeControl } from "../../std/text.ts";
import { readVersion } from "../../std/version.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { CountLine } from "../foreground/count-line.ts";
import { Interruption } from "../foreground/interruption.ts";
import { openBrowser } from "../service/open-browser.ts";
import { toServeOptions } from "../service/listen-options.ts";
import { openService } from "../service/open-service.ts";
import { sayFinding } from "../service/say-finding.ts";
import { watchSettings } from "../service/watch-settings.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { loadPipelines } from "../load/load-pipeline.ts";
import { printRemark, toDocumentText } from "../print.ts";

/** Serves. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const reader = new FlagReader(options);
  const slots = reader.whole("j", { min: 1, max: WORKER_RUNS_MAX });
  const flags = {
    host: reader.text("host"),
    port: reader.whole("port", { min: 0, max: 65_535 }),
    basePath: reader.text("basePath"),
    behindProxy: reader.has("behindProxy"),
  };
  const isWorking = !reader.has("noWorker");
  const isScheduling = !reader.has("noSchedules");
  const opensBrowser = reader.has("open");
  reader.finish("npx millrace serve --help");
  const readAtMs = context.clock.wallMs();
  const { pipelines, settings, context: inProject } = await loadPipelines(context, undefined);
  const listen = toServeOptions(inProject, settings, flags);
  const interruption = new Interruption(inProject, { drainMs: settings.stopAfterMs.value });
  try {
    await using mill = await openService(inProject, { settings, pipelines });
    const session = new ServeSession({
      context: inProject,
      settings,
      pipelines,
      readAtMs,
      mill,
      listen,
      slots: isWorking ? (slots ?? settings.slots.value) : 0,
      isScheduling,
      opensBrowser,
    });
    return await session.serve(interruption);
  } finally {
    interruption.close();
  }
}

interface SessionParts {
  readonly context: CliContext;
  readonly settings: Settings;
  readonly pipelines: readonly Pipeline[];
  /** UTC ms: the settings were read after it. */
  readonly readAtMs: number;
  readonly mill: Millrace;
  readonly listen: ServeOptions;
  /** 0: no worker. */
  readonly slots: number;
  readonly isScheduling: boolean;
  readonly opensBrowser: boolean;
}

class ServeSession {
  readonly #parts: SessionParts;
  readonly #stop: AbortController = new AbortController();
  #scheduler: Scheduler | undefined;
  #exhausted: string | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  async serve(interruption: Interruption): Promise<ExitCode> {
    const { context, mill, listen, settings } = this.#parts;
    const { serve } = await import("../../http/serve.ts");
    // First what can be refused: nothing is claimed or fired before the port is ours.
    const server = await serve(mill, { ...listen, logger: makeLogger(context) });
    try {
      this.#scheduler = this.#schedule();
      const watchdog = startWatchdog(mill, {
        everyMs: settings.watchMs.value,
        silentMs: settings.silentRunMs.value,
        ...(this.#scheduler === undefined ? {} : { scheduler: this.#scheduler }),
        onFound: (found) => sayFinding(context, found),
        onExhausted: (reason) => {
          this.#exhausted = reason;
          this.#halt(server);
        },
      });
      const health = startHealthWatch(contextOf(mill), {
        bus: busOf(contextOf(mill)),
        onWarning: (message) => printRemark(context, message),
      });
      const rollUps = startRollUps(mill, {
        onWarning: (message) => printRemark(context, message),
      });
      const notices = new LiveNotices(mill, {
        onWarning: (message) => printRemark(context, message),
      });
      // Last: what it makes is for the queue.
      await notices.renew();
      const seeds = this.#scheduler !== undefined;
      const watch = watchSettings(context, { ...this.#parts, watchdog, notices, seeds });
      this.#listen(interruption, server);
      await this.#announce(server);
      await this.#work();
      await watch.stop();
      await Promise.all([
        this.#scheduler?.stop(),
        watchdog.stop(),
        health.stop(),
        rollUps.stop(),
        notices.stop(),
      ]);
    } finally {
      await server.stop();
    }
    if (this.#exhausted === undefined) return EXIT.ok;
    printRemark(context, `drained: ${this.#exhausted} Start it anew.`);
    return EXIT.internal;
  }

  #schedule(): Scheduler | undefined {
    const { mill, isScheduling, context } = this.#parts;
    if (!isScheduling) return undefined;
    return startScheduler(contextOf(mill), { warn: (message) => printRemark(context, message) });
  }

  async #work(): Promise<void> {
    const { context, mill, settings, slots } = this.#parts;
    const line = new CountLine(context, mill);
    const { signal } = this.#stop;
    try {
      if (slots === 0) {
        await untilAborted(signal);
        return;
      }
      await keepWorking(mill, {
        concurrency: slots,
        signal,
        stopAfterMs: settings.stopAfterMs.value,
        onRun: (run) => line.count(run),
        onTrouble: (reason) =>
          printRemark(context, reason === null ? "the store answers again" : `no work: ${reason}`),
      });
    } finally {
      line.close();
    }
  }

  async #announce(server: RunningServer): Promise<void> {
    const { context, settings, mill, slots, opensBrowser } = this.#parts;
    const store = settings.store.value;
    const worker = slots === 0 ? null : mill.workerName;
    const { url } = server;
    if (context.flags.json) {
      const document = { schema: "millrace.serve/1", url, pid: process.pid, worker, store };
      context.stdout.write(`${toDocumentText(document, 0)}\n`);
    }
    const { schedules } = await mill.schedules({ limit: PAGE_ROWS_MAX });
    const parts = [
      worker === null ? "no worker" : `worker ${worker} (${slots} slots)`,
      this.#scheduler === undefined ? "no schedules here" : countOf(schedules.length, "schedule"),
    ];
    printRemark(
      context,
      `millrace ${readVersion()}  ${url}/   store ${store}   ${parts.join(", ")}`,
    );
    const signIn = server.makeSignInUrl();
    printRemark(context, `sign in (60 s, once): ${signIn}`);
    if (opensBrowser) openBrowser(context, signIn);
  }

  #halt(server: RunningServer): void {
    server.beginStop();
    void this.#scheduler?.stop();
    this.#stop.abort();
  }

  #listen(interruption: Interruption, server: RunningServer): void {
    const { context, mill } = this.#parts;
    interruption.attach({
      run: {
        interrupt: async (drainMs) => {
          this.#halt(server);
          if (drainMs === 0) await mill.stopWork(0);
        },
      },
      resume: undefined,
      onStopping: ({ cause }) =>
        printRemark(context, `stopping (${cause}): nothing is claimed or fired now`),
      abandon: () => mill.abandon(),
      onDying: () => printRemark(context, "what hangs is left, and is given back"),
    });
  }
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Faults of the API: requests are many, so only what went wrong inside is said. */
function makeLogger(context: CliContext): Logger {
  const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const { requestId, error } = fields;
    const why = error instanceof Error ? `: ${escapeControl(error.message)}` : "";
    const which = typeof requestId === "string" ? ` (${requestId})` : "";
    printRemark(context, `${message}${which}${why}`);
  };
  const silent = (): void => undefined;
  return { debug: silent, info: silent, warn: say, error: say };
}
