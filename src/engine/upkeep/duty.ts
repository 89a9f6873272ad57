// A duty: work that one process at a time does for all, as a lease by name in the store. Any number of processes may
// ask for it; one has it, and when it falls silent the next one that asks takes it over, under a higher term. What
// holds it by mistake for a moment longer does no harm: whatever a duty does is fenced by itself.

import { MillraceError } from "../../model/errors.ts";
import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { StoreRecord } from "../../storage/records/record-write.ts";
import type { PutRecordsWrite } from "../../storage/write.ts";
import type { Store } from "../../storage/store.ts";
import type { WriteResult } from "../../storage/write-result.ts";

/** What a duty is held by. */
export interface DutyParts {
  readonly store: Pick<Store, "findRecord" | "nowMs">;
  readonly write: (write: PutRecordsWrite) => Promise<WriteResult>;
  /** Names it in the collection "duties". */
  readonly name: string;
  /** Id of the process that asks. */
  readonly holder: string;
  /** How long it is held without being renewed, ms: some times as long as the time between two calls of `hold`. */
  readonly leaseMs: number;
}

/** A duty as it is stored. */
interface DutyValue {
  readonly holder: string;
  /** 1 for the first holder, and one more with every other. */
  readonly term: number;
  readonly untilMs: number;
}

/** One process and one duty. */
export class Duty {
  readonly #parts: DutyParts;
  #held: DutyValue | null = null;

  constructor(parts: DutyParts) {
    this.#parts = parts;
  }

  /** True while nobody else can have it. */
  get isHeld(): boolean {
    return this.#held !== null && this.#parts.store.nowMs() < this.#held.untilMs;
  }

  /** Number of this holder's time; 0: it has none. */
  get term(): number {
    return this.#held?.term ?? 0;
  }

  /** Takes or renews it; false: somebody else has it. Rejects with what the store rejects with: then it is held until
   *  its time is over, and no longer. */
  async hold(): Promise<boolean> {
    const { store, name, holder, leaseMs } = this.#parts;
    const record = await store.findRecord("duties", name);
    const known = record === undefined ? undefined : parseDuty(record);
    const nowMs = store.nowMs();
    const isOurs = known?.holder === holder;
    if (known !== undefined && !isOurs && nowMs < known.untilMs) return this.#lose();
    // A time of our own that ran out was nobody else's: it goes on under its term.
    const term = isOurs ? known.term : (known?.term ?? 0) + 1;
    const value = { holder, term, untilMs: nowMs + leaseMs };
    const isPut = await this.#put(record, value);
    if (!isPut) return this.#lose();
    this.#held = value;
    return true;
  }

  /** Gives it back, so that others need not wait. Safe to repeat. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    const record = await this.#parts.store.findRecord("duties", this.#parts.name);
    if (record === undefined || parseDuty(record)?.holder !== this.#parts.holder) return;
    await this.#put(record, { ...held, untilMs: 0 });
  }

  async #put(record: StoreRecord | undefined, value: DutyValue): Promise<boolean> {
    const { name, write } = this.#parts;
    const expected = record?.revision ?? 0;
    const result = await write({
      kind: "put-records",
      puts: [{ collection: "duties", key: name, expected, value: { ...value } }],
      events: [],
    });
    if (result.kind === "recorded") return true;
    if (result.kind === "record-conflict") return false;
    throw new MillraceError("INTERNAL", `The duty "${name}" was answered "${result.kind}".`);
  }

  #lose(): false {
    this.#held = null;
    return false;
  }
}

/** Undefined: damaged, and as good as free. */
function parseDuty({ value }: StoreRecord): DutyValue | undefined {
  if (!isPlainRecord(value)) return undefined;
  const { holder, term, untilMs } = value;
  if (typeof holder !== "string" || typeof term !== "number" || typeof untilMs !== "number")
    return undefined;
  return { holder, term, untilMs };
}
