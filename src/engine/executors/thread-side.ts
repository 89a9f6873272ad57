// One attempt in a worker thread, as its process sees it. Modes: waiting (for a thread), started, taken (a thread
// works on it), over. `kill` leads from each to over; what comes later is ignored.

import {
  MessageChannel,
  receiveMessageOnPort,
  type MessagePort,
  type Worker,
} from "node:worker_threads";
import type { Clock, Timer } from "../../std/clock.ts";
import { isRecord } from "../../std/record.ts";
import {
  IsolatedCrash,
  type FarSide,
  type ProcessUsage,
  type ThreadSide,
  type ThreadTask,
} from "./isolated/far-side.ts";
import type { Report } from "./isolated/protocol.ts";
import type { ThreadMessage, ThreadReport } from "./thread-worker.ts";

/** What starts threads and ends them. */
export interface ThreadLibrary {
  readonly threads: readonly Worker[];
  /** Rejects when the thread dies, and at once when the signal ends it. */
  run(
    message: ThreadMessage,
    options: { readonly transferList: [MessagePort]; readonly signal: AbortSignal },
  ): Promise<unknown>;
}

/** What an attempt in a thread is made of. */
export interface RunningThreadOptions {
  readonly clock: Clock;
  readonly library: ThreadLibrary;
  readonly task: ThreadTask;
  readonly hear: (report: Report) => void;
  /** Told when it needs no thread any more. */
  readonly leave: () => void;
}

/** How long a thread may take until the code of the stage is called, ms. */
const START_MS_MAX = 30_000;
/** Time between two looks at the memory of a busy thread, ms. */
const SAMPLE_MS = 250;
/** How long a thread may take to say what it has used before it is ended, ms. */
const LAST_LOOK_MS_MAX = 200;
/** How long the end of a thread is waited for, ms: one that is inside a call of the system ends after it. */
const EXIT_MS_MAX = 1_000;

/** One attempt. */
export class RunningThread implements ThreadSide {
  readonly #options: RunningThreadOptions;
  readonly #abort: AbortController = new AbortController();
  readonly #over: PromiseWithResolvers<IsolatedCrash | null> = Promise.withResolvers();
  readonly over: Promise<IsolatedCrash | null> = this.#over.promise;
  #port: MessagePort | null = null;
  #thread: Worker | null = null;
  #exited: Promise<void> | null = null;
  #startTimer: Timer | null = null;
  #sampleTimer: Timer | null = null;
  #startFault: unknown = undefined;
  #isKilled: boolean = false;
  #isOver: boolean = false;
  /** What the thread had used before this attempt, and when it was last asked. */
  #cpuMs: { readonly first: number; readonly last: number } | null = null;
  #heldBytesMax: number = 0;

  constructor(options: RunningThreadOptions) {
    this.#options = options;
  }

  get usage(): ProcessUsage | null {
    if (this.#cpuMs === null) return null;
    const { first, last } = this.#cpuMs;
    return { cpuMs: Math.max(0, last - first), peakBytes: this.#heldBytesMax };
  }

  tail(): readonly string[] {
    return [];
  }

  /** The thread goes back by itself. */
  finish(): void {}

  tell(order: Parameters<FarSide["tell"]>[0]): void {
    this.#port?.postMessage(order);
  }

  /** A thread is free for it. Called once. */
  start(): void {
    void this.#run();
  }

  /** No thread could be started. */
  failToStart(error: unknown): void {
    if (this.#thread !== null) return;
    this.#startFault = error;
    this.kill();
  }

  kill(): void {
    if (this.#isKilled || this.#isOver) return;
    this.#isKilled = true;
    if (this.#port === null) {
      this.#end(new IsolatedCrash("thread", { message: "it never had a thread", code: "exit ?" }));
    } else void this.#kill();
  }

  async #kill(): Promise<void> {
    const looked = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(LAST_LOOK_MS_MAX, looked.resolve);
    await Promise.race([this.#look(), looked.promise]);
    timer.cancel();
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { clock, library, task } = this.#options;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on("message", (report: ThreadReport) => this.#take(report));
    this.#startTimer = clock.setTimer(START_MS_MAX, () => this.kill());
    let fault: unknown = null;
    try {
      const message: ThreadMessage = { ...task, port: port2 };
      await library.run(message, { transferList: [port2], signal: this.#abort.signal });
    } catch (error) {
      fault = error;
      await this.#untilExited();
    }
    // What it said last may lie here unread, as its end comes by another way.
    for (;;) {
      const left = receiveMessageOnPort(port1);
      if (left === undefined) break;
      this.#take(left.message);
    }
    port1.close();
    const diedOf = this.#startFault ?? fault;
    this.#end(diedOf === null ? null : toCrash(diedOf));
  }

  #end(crash: IsolatedCrash | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#startTimer?.cancel();
    this.#sampleTimer?.cancel();
    this.#options.leave();
    this.#over.resolve(crash);
  }

  async #untilExited(): Promise<void> {
    if (this.#exited === null) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(EXIT_MS_MAX, late.resolve);
    await Promise.race([this.#exited, late.promise]);
    timer.cancel();
  }

  #take(report: ThreadReport): void {
    if (report.kind === "taken") return this.#noteThread(report.threadId);
    if (report.kind === "measured") return this.#note(report.cpuMs, report.heldBytes);
    if (report.kind === "begun") {
      this.#startTimer?.cancel();
      this.#sampleLater();
    }
    this.#options.hear(report);
  }

  #noteThread(threadId: number): void {
    const thread = this.#options.library.threads.find((one) => one.threadId === threadId);
    // It may have ended by now.
    if (thread === undefined) return;
    this.#thread = thread;
    this.#exited = untilExit(thread);
  }

  #note(cpuMs: number, heldBytes: number): void {
    this.#cpuMs = { first: this.#cpuMs?.first ?? cpuMs, last: cpuMs };
    this.#heldBytesMax = Math.max(this.#heldBytesMax, heldBytes);
  }

  #sampleLater(): void {
    const { clock } = this.#options;
    this.#sampleTimer = clock.setTimer(SAMPLE_MS, () => void this.#sample(), { unref: true });
  }

  async #sample(): Promise<void> {
    await this.#look();
    if (!this.#isOver && !this.#isKilled) this.#sampleLater();
  }

  /** Asks the thread what it has used; it answers in the middle of a loop as well. */
  async #look(): Promise<void> {
    const thread = this.#thread;
    // Before its code was called nothing counts.
    if (thread === null || this.#cpuMs === null) return;
    try {
      const [cpu, heap] = await Promise.all([thread.cpuUsage(), thread.getHeapStatistics()]);
      if (this.#isOver) return;
      this.#note((cpu.user + cpu.system) / 1_000, heap.total_heap_size + heap.external_memory);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** One listener for a thread, however many attempts it makes. */
const exits: WeakMap<Worker, Promise<void>> = new WeakMap();

function untilExit(thread: Worker): Promise<void> {
  let exit = exits.get(thread);
  if (exit === undefined) {
    exit = new Promise((resolve) => thread.once("exit", () => resolve()));
    exits.set(thread, exit);
  }
  return exit;
}

/** What a thread died of, in words. */
function toCrash(fault: unknown): IsolatedCrash {
  const text = fault instanceof Error ? fault.message : String(fault);
  const code = isRecord(fault) ? fault["code"] : undefined;
  if (code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new IsolatedCrash("thread", { message: "the thread ran out of memory", code });
  }
  const exitCode = /^worker exited with code: (\d+)$/.exec(text)?.[1];
  if (exitCode !== undefined) {
    const message = `the thread exited with code ${exitCode} before there was a result`;
    return new IsolatedCrash("thread", { message, code: `exit ${exitCode}` });
  }
  const message = `the thread died of what nobody caught: ${text}`;
  return new IsolatedCrash("thread", { message, code: "uncaught", cause: fault });
}
