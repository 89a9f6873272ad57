// Starts the thread that renews leases, hands it orders, and hears what it tells. The thread alone keeps no process
// alive, and ends when this is closed.

import type { Worker } from "node:worker_threads";
import type { Machine } from "../../../std/machine.ts";
import type {
  LeasedRun,
  LeaseRenewer,
  RenewalListener,
  RenewalTerms,
} from "../../lease-renewer.ts";
import {
  SharedTimes,
  type RenewalOrder,
  type RenewalReport,
  type RenewalStart,
} from "./renewal-protocol.ts";

/** What a thread is made of. */
export interface ThreadRenewerOptions {
  readonly url: string;
  /** Absolute path of the file. */
  readonly path: string;
  readonly machine: Pick<Machine, "sharedMonotonicMs">;
  readonly terms: RenewalTerms;
  readonly listener: RenewalListener;
  /** Default: the thread's own; tests give one that fails. */
  readonly program?: URL;
}

// In a build both files lie in one folder as well.
const PROGRAM: URL = new URL(
  import.meta.url.endsWith(".ts") ? "./renewal-thread.ts" : "./renewal-thread.js",
  import.meta.url,
);

/** Renews leases from a thread with a connection of its own. */
export class ThreadRenewer implements LeaseRenewer {
  readonly #options: ThreadRenewerOptions;
  readonly #times: SharedTimes = new SharedTimes();
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  #isOver: boolean = false;
  /** Not urgent: a renewal of a run that is over changes nothing. */
  #released: RenewalOrder[] = [];

  /** Starts the thread; what keeps it from working is told to the listener. */
  constructor(options: ThreadRenewerOptions) {
    this.#options = options;
    const { url, path, terms, listener } = options;
    this.#times.loopTickMs = options.machine.sharedMonotonicMs();
    // Not imported: every start of the command would pay for it.
    const threads = process.getBuiltinModule("node:worker_threads");
    this.#thread = new threads.Worker(options.program ?? PROGRAM, {
      name: "millrace renewals",
      workerData: { url, path, terms, shared: this.#times.buffer } satisfies RenewalStart,
      // Flags of the process, as of a profiler or a loader, are none of its business.
      execArgv: [],
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#thread.on("message", (report: RenewalReport) => {
      if (!this.#isOver) listener.lost(report.runs);
    });
    this.#thread.on("error", (error) => this.#fail(error));
    this.#thread.on("exit", (code) => {
      this.#fail(new Error(`The thread of renewals ended with ${code}.`));
      resolve();
    });
    this.#thread.unref();
  }

  keep(run: LeasedRun, renewForMs: number | null): void {
    const untilMs =
      renewForMs === null ? null : this.#options.machine.sharedMonotonicMs() + renewForMs;
    this.#tell({ kind: "keep", run, untilMs });
  }

  keepAll(runs: readonly LeasedRun[]): void {
    this.#tell(...runs.map((run): RenewalOrder => ({ kind: "keep", run, untilMs: null })));
  }

  release(id: string): void {
    this.#released.push({ kind: "release", id });
  }

  tick(): void {
    if (this.#released.length > 0) this.#tell();
    this.#times.loopTickMs = this.#options.machine.sharedMonotonicMs();
  }

  renewedAgoMs(): number {
    const { renewedMs } = this.#times;
    if (renewedMs === 0) return Number.POSITIVE_INFINITY;
    return this.#options.machine.sharedMonotonicMs() - renewedMs;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#tell({ kind: "close" });
    // Who closes waits for it, and so must the process.
    this.#thread.ref();
    // Before its first renewal it may still be loading, and holds nothing that it had to finish.
    if (this.#times.renewedMs === 0) await this.#thread.terminate();
    await this.#ended;
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.listener.failed(error);
  }

  /** Says these, after what was released meanwhile. To a thread that has ended a message goes nowhere. */
  #tell(...orders: readonly RenewalOrder[]): void {
    const all = [...this.#released, ...orders];
    this.#released = [];
    this.#thread.postMessage({ kind: "all", orders: all } satisfies RenewalOrder);
  }
}
