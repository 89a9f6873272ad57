// `millrace worker`: works the queues until it is told to stop. What ends by a signal ends well: it drains, and exits
// with 0. One that comes to the end of its memory drains too, and says so; whoever started it starts it anew.

import type { Settings } from "../../config/resolve.ts";
import { WORKER_RUNS_MAX } from "../../model/limits.ts";
import { readVersion } from "../../std/version.ts";
import type { Millrace } from "../../service/millrace.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import { startWatchdog, type RunningWatchdog } from "../../service/watchdog/start-watchdog.ts";
import { keepWorking } from "../../service/worker/keep-working.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { CountLine } from "../foreground/count-line.ts";
import { Interruption } from "../foreground/interruption.ts";
import { openService } from "../service/open-service.ts";
import { sayFinding } from "../service/say-finding.ts";
import { watchSettings } from "../service/watch-settings.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { choosePipelines } from "../load/choose-pipelines.ts";
import { loadPipelines } from "../load/load-pipeline.ts";
import { printRemark, toDocumentText } from "../print.ts";

/** Works. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const reader = new FlagReader(options);
  const slots = reader.whole("j", { min: 1, max: WORKER_RUNS_MAX });
  const name = reader.text("name");
  const wanted = reader.texts("pipelines").flatMap((text) => text.split(","));
  reader.finish("npx millrace worker --help");
  const readAtMs = context.clock.wallMs();
  const {
    pipelines: known,
    settings,
    context: inProject,
  } = await loadPipelines(context, undefined);
  const pipelines = choosePipelines(known, wanted);
  const interruption = new Interruption(inProject, { drainMs: settings.stopAfterMs.value });
  try {
    await using mill = await openService(inProject, { settings, pipelines, name });
    const count = slots ?? settings.slots.value;
    const worker = new WorkerSession({
      context: inProject,
      settings,
      known,
      readAtMs,
      mill,
      slots: count,
    });
    worker.announce(pipelines.length);
    return await worker.work(interruption);
  } finally {
    interruption.close();
  }
}

interface SessionParts {
  readonly context: CliContext;
  readonly settings: Settings;
  /** All pipelines of the settings, also those that are not worked on. */
  readonly known: readonly Pipeline[];
  /** UTC ms: the settings were read after it. */
  readonly readAtMs: number;
  readonly mill: Millrace;
  readonly slots: number;
}

class WorkerSession {
  readonly #parts: SessionParts;
  readonly #stop: AbortController = new AbortController();
  #exhausted: string | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  announce(pipelines: number): void {
    const { context, settings, mill, slots } = this.#parts;
    const store = settings.store.value;
    const worker = mill.workerName;
    if (context.flags.json) {
      const document = { schema: "millrace.worker/1", pid: process.pid, worker, store };
      context.stdout.write(`${toDocumentText(document, 0)}\n`);
    }
    const count = `${pipelines} pipeline${pipelines === 1 ? "" : "s"}`;
    const text = `millrace ${readVersion()}  store ${store}   worker ${worker} (${slots} slots), ${count}`;
    printRemark(context, text);
  }

  async work(interruption: Interruption): Promise<ExitCode> {
    const { context, mill, settings, slots, known, readAtMs } = this.#parts;
    const line = new CountLine(context, mill);
    const watchdog = this.#watch();
    const parts = { mill, settings, pipelines: known, watchdog, seeds: false, readAtMs };
    const watch = watchSettings(context, parts);
    this.#listen(interruption);
    try {
      await keepWorking(mill, {
        concurrency: slots,
        signal: this.#stop.signal,
        stopAfterMs: settings.stopAfterMs.value,
        onRun: (run) => line.count(run),
        onTrouble: (reason) =>
          printRemark(context, reason === null ? "the store answers again" : `no work: ${reason}`),
      });
    } finally {
      line.close();
      await watch.stop();
      await watchdog.stop();
    }
    if (this.#exhausted === undefined) return EXIT.ok;
    printRemark(context, `drained: ${this.#exhausted} Start it anew.`);
    return EXIT.internal;
  }

  #watch(): RunningWatchdog {
    const { context, mill, settings } = this.#parts;
    return startWatchdog(mill, {
      everyMs: settings.watchMs.value,
      silentMs: settings.silentRunMs.value,
      onFound: (found) => sayFinding(context, found),
      onExhausted: (reason) => {
        this.#exhausted = reason;
        this.#stop.abort();
      },
    });
  }

  #listen(interruption: Interruption): void {
    const { context, mill } = this.#parts;
    interruption.attach({
      run: {
        interrupt: async (drainMs) => {
          this.#stop.abort();
          if (drainMs === 0) await mill.stopWork(0);
        },
      },
      resume: undefined,
      onStopping: ({ cause }) =>
        printRemark(context, `stopping (${cause}): nothing is claimed now`),
      abandon: () => mill.abandon(),
      onDying: () => printRemark(context, "what hangs is left, and is given back"),
    });
  }
}
