// The order of what waits in the memory store: queued runs by claim order, waiting ones by the time they wake.
// Lists stay sorted as runs come; a run that has moved on is passed over when its turn comes.

import type { RunRecord } from "../../model/run.ts";
import { claimOrder } from "../run-rules.ts";
import type { MemoryRun } from "./memory-run.ts";

interface Entry {
  readonly at: number;
  readonly run: MemoryRun;
}

/** Runs in order of a time, then of their numbers. */
class TimeLine {
  #entries: Entry[] = [];
  readonly #timeOf: (run: RunRecord) => number | null;

  constructor(timeOf: (run: RunRecord) => number | null) {
    this.#timeOf = timeOf;
  }

  add(run: MemoryRun): void {
    const at = this.#timeOf(run.record);
    if (at === null) return;
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAfter(this.#entries[middle], at, run.record.number)) high = middle;
      else low = middle + 1;
    }
    this.#entries.splice(low, 0, { at, run });
  }

  /** The first runs that still belong here, up to a time. They stay. */
  peek(limit: number, untilMs: number = Infinity): readonly MemoryRun[] {
    this.#entries = this.#entries.filter(({ at, run }, index) => {
      // Only the front is looked at: what lies behind is looked at when it gets there.
      return index >= 2 * limit || this.#timeOf(run.record) === at;
    });
    const found: MemoryRun[] = [];
    for (const { at, run } of this.#entries) {
      if (found.length === limit || at > untilMs) break;
      if (this.#timeOf(run.record) === at && !found.includes(run)) found.push(run);
    }
    return found;
  }

  /** The first time; null: there is none. */
  next(): number | null {
    const [first] = this.peek(1);
    return first === undefined ? null : this.#timeOf(first.record);
  }
}

function isAfter(entry: Entry | undefined, at: number, number: number): boolean {
  if (entry === undefined) return true;
  return entry.at > at || (entry.at === at && entry.run.record.number > number);
}

/** What waits in a memory store. */
export class MemoryQueue {
  readonly #queued = new Map<string, TimeLine>();
  readonly #waiting: TimeLine = new TimeLine((run) => run.wakeAtMs);

  /** Takes note of a run that was made or has changed. */
  note(run: MemoryRun): void {
    const { state, pipeline, wakeAtMs } = run.record;
    if (wakeAtMs !== null) this.#waiting.add(run);
    if (state === "queued") this.#lineOf(pipeline).add(run);
  }

  /** Queued runs of a pipeline in the order of claims. */
  listNext(pipeline: string, limit: number): readonly MemoryRun[] {
    return this.#queued.get(pipeline)?.peek(limit) ?? [];
  }

  /** Waiting runs whose time has come. */
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
