// The order of what waits in the memory store: queued runs by claim order, waiting ones by the time they wake.
// A run enters a line when it comes to wait, and nothing is taken out when it moves on: it is passed over when
// its turn comes. So each run costs a few comparisons when it enters and when it leaves, however many wait.

import type { RunRecord } from "../../model/run.ts";
import { claimOrder } from "../run-rules.ts";
import type { MemoryRun } from "./memory-run.ts";
import { TimeHeap, type TimeEntry } from "./time-heap.ts";

/** Where a run stands in a line; null: it does not belong there. */
type PlaceOf = (run: RunRecord) => number | null;

/** Runs in order of a time, then of their numbers. */
class TimeLine {
  readonly #heap = new TimeHeap<MemoryRun>();
  readonly #placeOf: PlaceOf;

  constructor(placeOf: PlaceOf) {
    this.#placeOf = placeOf;
  }

  /** Lets a run in, if it belongs here. One that is let in twice stands here twice, and is found once. */
  add(run: MemoryRun): void {
    const at = this.#placeOf(run.record);
    if (at !== null) this.#heap.push({ at, number: run.record.number, value: run });
  }

  /** The first runs up to a time. They stay until they belong here no more. */
  peek(limit: number, untilMs: number = Infinity): readonly MemoryRun[] {
    const found: TimeEntry<MemoryRun>[] = [];
    while (found.length < limit) {
      const first = this.#first();
      if (first === undefined || first.at > untilMs) break;
      this.#heap.pop();
      // Two entries of one run that both hold are neighbours: nothing else has this time and number.
      if (found.at(-1)?.value !== first.value) found.push(first);
    }
    for (const entry of found) this.#heap.push(entry);
    return found.map(({ value }) => value);
  }

  /** The first time; null: there is none. */
  next(): number | null {
    return this.#first()?.at ?? null;
  }

  /** The first entry that still holds; those before it are gone for good. */
  #first(): TimeEntry<MemoryRun> | undefined {
    for (;;) {
      const first = this.#heap.peek();
      if (first === undefined || this.#placeOf(first.value.record) === first.at) return first;
      this.#heap.pop();
    }
  }
}

/** What waits in a memory store. */
export class MemoryQueue {
  readonly #queued = new Map<string, TimeLine>();
  readonly #waiting = new TimeLine((run) => run.wakeAtMs);

  /** Takes note of a run that was made or has changed. */
  note(run: MemoryRun): void {
    this.#waiting.add(run);
    if (run.record.state === "queued") this.#lineOf(run.record.pipeline).add(run);
  }

  /** Queued runs of a pipeline in the order of claims. */
  listNext(pipeline: string, limit: number): readonly MemoryRun[] {
    return this.#queued.get(pipeline)?.peek(limit) ?? [];
  }

  /** Waiting runs whose time has come, the longest due first. */
  listDue(nowMs: number, limit: number): readonly MemoryRun[] {
    return this.#waiting.peek(limit, nowMs);
  }

  /** When the next waiting run is due; null: none waits for a time. */
  nextWakeMs(): number | null {
    return this.#waiting.next();
  }

  #lineOf(pipeline: string): TimeLine {
    let line = this.#queued.get(pipeline);
    if (line === undefined) {
      line = new TimeLine((run) => (run.state === "queued" ? claimOrder(run) : null));
      this.#queued.set(pipeline, line);
    }
    return line;
  }
}
