// Events of the memory store, in the order they were told: those of a run, which keeps its own as well, and those
// that concern none.

import type { EventDraft, MillraceEvent } from "../../model/event.ts";
import type { EventNumbers } from "../write-result.ts";
import type { MemoryRun } from "./memory-run.ts";

/** All events, and the numbers they get. */
export class MemoryLog {
  #events: MillraceEvent[] = [];
  #lastSeq = 0;

  /** In order of number. */
  get events(): readonly MillraceEvent[] {
    return this.#events;
  }

  /** Number of the last event that was told, deleted or not. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Tells events of a run. */
  tell(run: MemoryRun, drafts: readonly EventDraft[], atMs: number): EventNumbers {
    const numbers = { firstSeq: this.#lastSeq + 1, firstRunSeq: run.runSeq + 1, atMs };
    for (const draft of drafts) {
      run.runSeq += 1;
      const seq = ++this.#lastSeq;
      const event = { ...draft, seq, runSeq: run.runSeq, atMs, run: run.record.id };
      this.#events.push(event);
      run.events.push(event);
    }
    return numbers;
  }

  /** Tells events that concern no run. */
  tellAll(drafts: readonly EventDraft[], atMs: number): EventNumbers {
    const numbers = { firstSeq: this.#lastSeq + 1, firstRunSeq: 0, atMs };
    for (const draft of drafts)
      this.#events.push({ ...draft, seq: ++this.#lastSeq, runSeq: 0, atMs, run: "" });
    return numbers;
  }

  /** Deletes the events of runs that are gone; how many. */
  forget(runs: ReadonlySet<string>): number {
    const before = this.#events.length;
    if (runs.size > 0) this.#events = this.#events.filter(({ run }) => !runs.has(run));
    return before - this.#events.length;
  }
}
