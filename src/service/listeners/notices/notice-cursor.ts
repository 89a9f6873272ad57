// How far the events of a store have been made notices: a record that any number of processes share. A process that
// dies between an event and this record makes its notices again, under the same keys; whoever is behind skips.

import { isPlainRecord } from "../../../model/compile/option-reader.ts";
import type { EventDraft } from "../../../model/event.ts";
import type { StoreRecord } from "../../../storage/records/record-write.ts";
import type { MillContext } from "../../mill-context.ts";

/** In the collection "cursors". */
const KEY = "notices";

/** Tries against others that move it meanwhile. */
const TRIES_MAX = 10;

/** The cursor of a store. */
export class NoticeCursor {
  readonly #mill: Pick<MillContext, "store" | "committer">;

  constructor(mill: Pick<MillContext, "store" | "committer">) {
    this.#mill = mill;
  }

  /** Where it stands. A store that has none yet, or a damaged one, begins now: nobody is told of the past. */
  async begin(): Promise<number> {
    const record = await this.#read();
    const known = seqOf(record);
    if (known !== undefined) return known;
    const [last] = await this.#mill.store.listEvents({ after: 0, newestFirst: true, limit: 1 });
    const seq = last?.seq ?? 0;
    await this.#put(record, seq, []);
    return seqOf(await this.#read()) ?? seq;
  }

  /** True where somebody has dealt with this event. */
  async isPast(seq: number): Promise<boolean> {
    return (seqOf(await this.#read()) ?? 0) >= seq;
  }

  /** Moves it on, and tells these events in the same transaction; neither where somebody was faster. */
  async move(seq: number, events: readonly EventDraft[] = []): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const record = await this.#read();
      if ((seqOf(record) ?? 0) >= seq) return;
      if (await this.#put(record, seq, events)) return;
    }
  }

  #read(): Promise<StoreRecord | undefined> {
    return this.#mill.store.findRecord("cursors", KEY);
  }

  async #put(
    record: StoreRecord | undefined,
    seq: number,
    events: readonly EventDraft[],
  ): Promise<boolean> {
    const result = await this.#mill.committer.write({
      kind: "put-records",
      puts: [{ collection: "cursors", key: KEY, expected: record?.revision ?? 0, value: { seq } }],
      events: [...events],
    });
    return result.kind === "recorded";
  }
}

function seqOf(record: StoreRecord | undefined): number | undefined {
  const value = isPlainRecord(record?.value) ? record.value["seq"] : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
