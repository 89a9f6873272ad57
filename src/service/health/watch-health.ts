// Notices in a service that a pipeline is doing better or worse: listens to the ends of runs, whichever process told
// them, and judges the pipelines they are of. At its start it judges all, for what happened while nobody watched.
//
// Ends that come in quick succession are judged together, once a second; a fault of the store is waited out.

import type { EventType, MillraceEvent } from "../../model/event.ts";
import { isMillraceError } from "../../model/errors.ts";
import { messageOf } from "../../policy/failure.ts";
import type { BusEntry, EventBus } from "../feed/event-bus.ts";
import type { MillContext } from "../mill-context.ts";
import { noteHealth } from "./note-health.ts";
import { listHealthNames } from "./read-health.ts";

/** What a watch of health needs of the mill. */
export type WatchedMill = Pick<MillContext, "store" | "committer" | "pipelines"> & {
  readonly world: Pick<MillContext["world"], "clock">;
};

/** A watch under way. */
export interface HealthWatch {
  /** Resolves when nothing of it goes on. Safe to repeat. */
  stop(): Promise<void>;
}

/** Time between two rounds, ms. */
const ROUND_MS = 1_000;
/** Longest time between two tries while the store is away, ms. */
const AWAY_MS_MAX = 30_000;

const END_TYPES: readonly EventType[] = [
  "run.succeeded",
  "run.failed",
  "run.skipped",
  "run.cancelled",
];

/**
 * Starts watching.
 * @param options.onWarning Told once, when the store can not be read or written.
 */
export function startHealthWatch(
  mill: WatchedMill,
  options: {
    readonly bus: Pick<EventBus, "subscribe">;
    readonly onWarning?: (message: string) => void;
  },
): HealthWatch {
  const stopping = new AbortController();
  const watch = new Watch(mill, stopping.signal, options.onWarning ?? ((): void => undefined));
  const events = options.bus.subscribe({
    types: END_TYPES,
    storedOnly: true,
    signal: stopping.signal,
  });
  const done = Promise.all([watch.listen(events), watch.work()]);
  return {
    stop: async () => {
      stopping.abort();
      await events.return?.();
      await done;
    },
  };
}

class Watch {
  readonly #mill: WatchedMill;
  readonly #signal: AbortSignal;
  readonly #warn: (message: string) => void;
  /** Runs whose ends were told and whose pipelines are to be judged. */
  #ended: string[] = [];
  /** True: all pipelines are to be judged. */
  #isAll = true;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(mill: WatchedMill, signal: AbortSignal, warn: (message: string) => void) {
    this.#mill = mill;
    this.#signal = signal;
    this.#warn = warn;
    signal.addEventListener("abort", () => this.#wake.resolve(), { once: true });
  }

  async listen(events: AsyncIterable<BusEntry>): Promise<void> {
    for await (const entry of events) {
      if (entry.kind === "gap" || this.#ended.length >= ENDED_MAX) this.#isAll = true;
      else this.#ended.push(runOf(entry.event));
      this.#wake.resolve();
    }
  }

  async work(): Promise<void> {
    let awayMs = 0;
    while (!this.#signal.aborted) {
      const ended = this.#ended;
      const isAll = this.#isAll;
      this.#ended = [];
      this.#isAll = false;
      this.#wake = Promise.withResolvers();
      try {
        await this.#judge(ended, isAll);
        awayMs = 0;
        await this.#wake.promise;
        await this.#nap(ROUND_MS);
      } catch (error) {
        if (isClosed(error)) return;
        if (awayMs === 0) this.#warn(`Health is not watched for now: ${messageOf(error)}`);
        this.#isAll = true;
        awayMs = Math.min(AWAY_MS_MAX, Math.max(ROUND_MS, 2 * awayMs));
        await this.#nap(awayMs);
      }
    }
  }

  async #judge(ended: readonly string[], isAll: boolean): Promise<void> {
    const names = isAll
      ? await listHealthNames(this.#mill.store, this.#mill.pipelines.keys())
      : await this.#pipelinesOf(ended);
    for (const name of names) {
      if (this.#signal.aborted) return;
      await noteHealth(this.#mill, name);
    }
  }

  async #pipelinesOf(runs: readonly string[]): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const id of runs) {
      const run = await this.#mill.store.findRun(id);
      if (run !== undefined) names.add(run.pipeline);
    }
    return names;
  }

  /** Ends early, and quietly, when the watch stops. */
  async #nap(ms: number): Promise<void> {
    await this.#mill.world.clock.sleep(ms, this.#signal).catch(() => undefined);
  }
}

/** Ends between two rounds that are looked up one by one; beyond it all pipelines are judged. */
const ENDED_MAX = 1_000;

function runOf({ run }: MillraceEvent): string {
  return run;
}

function isClosed(error: unknown): boolean {
  return isMillraceError(error) && error.code === "STORE_CLOSED";
}
