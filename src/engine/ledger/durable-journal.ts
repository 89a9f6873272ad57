// The journal of a durable run: every write carries the run's id and epoch, goes down with those of other runs
// in one commit, and its events are told once they have their numbers. A write that is refused because the run
// has another owner is LEASE_LOST and changes nothing.

import type { ItemRecord, StageRecord } from "../../model/checkpoint.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft, EventType, MillraceEvent } from "../../model/event.ts";
import { INLINE_BYTES_MAX } from "../../model/limits.ts";
import type { StoredValue } from "../../model/outcome.ts";
import type { BlobStore } from "../../storage/blob-store.ts";
import type { Store } from "../../storage/store.ts";
import type { Write } from "../../storage/write.ts";
import type { EventNumbers, WriteResult } from "../../storage/write-result.ts";
import type { PermitResult } from "../../storage/permits/permit-write.ts";
import type { EncodedValue } from "../../std/value.ts";
import type { Asked, Returned } from "../limits/permit-request.ts";
import type {
  CrashedAttempt,
  ItemPlace,
  Journal,
  JournalCache,
  JournalMemo,
  Rider,
  RunEnd,
  RunParked,
} from "./journal.ts";

/** Takes writes of many runs and answers each after its commit. */
export interface Committer {
  write(write: Write): Promise<WriteResult>;
  /** The same without a promise. */
  post(
    write: Write,
    resolve: (result: WriteResult) => void,
    reject: (error: unknown) => void,
  ): void;
}

/** What a journal writes with. */
export interface DurableJournalOptions {
  readonly store: Pick<Store, "findMemo" | "findCache" | "findLatestCache" | "nowMs">;
  readonly blobs: BlobStore;
  readonly committer: Committer;
  readonly runId: string;
  readonly epoch: number;
  /** Id of the process, for the lines of those who wait for permits. */
  readonly worker: string;
  /** Types that are told once what they come with is committed, and not stored. Default: none. */
  readonly liveOnly?: LiveOnly | null;
  /** Told of a write that failed for which nobody waits. */
  readonly onFault: (error: unknown) => void;
  /** Hears what was stored, after its commit. */
  readonly onTold: (events: readonly EventDraft[], numbers: EventNumbers) => void;
}

/** Events that are not stored. */
export interface LiveOnly {
  readonly types: ReadonlySet<EventType>;
  readonly tell: (draft: EventDraft) => void;
}

type Fenced = Extract<Write, { readonly epoch: number }>;
/** A union member by member, so that each write keeps its own fields. */
type Unfenced = Fenced extends infer W
  ? W extends Fenced
    ? Omit<W, "runId" | "epoch">
    : never
  : never;

/** The journal of one run under one epoch. */
export class DurableJournal implements Journal {
  readonly #options: DurableJournalOptions;
  readonly #blobs: BlobStore;

  constructor(options: DurableJournalOptions) {
    this.#options = options;
    this.#blobs = options.blobs;
  }

  nowMs(): number {
    return this.#options.store.nowMs();
  }

  // The two that are called most often: neither a promise nor an object more than it takes.
  putStage(record: StageRecord, rider: Rider): Promise<unknown> {
    const { runId, epoch } = this.#options;
    return this.#send({ kind: "put-stage", runId, epoch, record, ...rider });
  }

  putItem(record: ItemRecord, rider: Rider): Promise<unknown> {
    const { runId, epoch } = this.#options;
    return this.#send({ kind: "put-item", runId, epoch, record, ...rider });
  }

  async dropItems(stage: string, keys: readonly string[]): Promise<void> {
    await this.#write({ kind: "drop-items", stage, keys, events: [] });
  }

  async placeItems(stage: string, places: readonly ItemPlace[]): Promise<void> {
    await this.#write({ kind: "place-items", stage, places, events: [] });
  }

  async tell(events: readonly EventDraft[]): Promise<void> {
    const { liveOnly = null } = this.#options;
    // Nothing is left to be written.
    if (liveOnly !== null && events.every(({ type }) => liveOnly.types.has(type)))
      return events.forEach(liveOnly.tell);
    await this.#write({ kind: "tell", events });
  }

  takePermits(asked: Asked): Promise<PermitResult> {
    const { runId, epoch, worker } = this.#options;
    const { stage, item, slot, uses } = asked;
    const address = { runId, epoch, stage, item, slot };
    const write = { kind: "take-permits" as const, ...address, worker, uses, events: NO_EVENTS };
    return this.#send(write).then(toPermitResult);
  }

  releasePermits(returned: Returned): void {
    const { runId, epoch, onFault } = this.#options;
    const { stage, item, slot, uses } = returned;
    const address = { runId, epoch, stage, item, slot };
    const write = { kind: "release-permits" as const, ...address, uses, events: NO_EVENTS };
    // One for every attempt that uses resources, and nobody waits for it.
    this.#options.committer.post(write, (result) => this.#hearRelease(write, result), onFault);
  }

  async putCrash(crash: CrashedAttempt): Promise<void> {
    await this.#write({ kind: "put-crash", ...crash, events: [] });
  }

  async endRun(end: RunEnd, events: readonly EventDraft[]): Promise<void> {
    const { to, reason, durationMs, warnings, failure, metrics } = end;
    await this.#write({
      kind: "move-run",
      to,
      reason,
      end: { durationMs, warnings, failure, metrics },
      events,
    });
  }

  async parkRun(parked: RunParked, events: readonly EventDraft[]): Promise<void> {
    const { to, reason, durationMs, wakeAtMs, waitsFor = [] } = parked;
    const end = { durationMs, warnings: 0, failure: null, metrics: {} };
    const wake = wakeAtMs === undefined ? {} : { wakeAtMs };
    await this.#write({ kind: "move-run", to, reason, ...wake, waitsFor, end, events });
  }

  findMemo(address: JournalMemo): Promise<EncodedValue | undefined> {
    return this.#options.store.findMemo({ runId: this.#options.runId, ...address });
  }

  async putMemo(address: JournalMemo, value: EncodedValue): Promise<EncodedValue> {
    const result = await this.#write({ kind: "put-memo", ...address, value, events: [] });
    return result.kind === "kept" ? result.value : value;
  }

  store(text: EncodedValue): StoredValue | Promise<StoredValue> {
    // Characters first: most values are far below the limit and need no count of bytes.
    if (text.length * 3 <= INLINE_BYTES_MAX) return { kind: "inline", text };
    const bytes = Buffer.from(text, "utf8");
    if (bytes.byteLength <= INLINE_BYTES_MAX) return { kind: "inline", text };
    return this.#blobs.put(bytes).then((blob) => ({ kind: "blob", blob, bytes: bytes.byteLength }));
  }

  load(value: StoredValue): EncodedValue | Promise<EncodedValue> {
    if (value.kind === "inline") return value.text;
    return this.#loadBlob(value.blob);
  }

  async #loadBlob(blob: string): Promise<EncodedValue> {
    const bytes = await this.#blobs.get(blob);
    if (bytes === undefined) {
      throw new MillraceError(
        "VALUE_DAMAGED",
        `A stored value is gone: ${this.#blobs.locate(blob)}.`,
        {
          hint: "resume from the stage that made it",
        },
      );
    }
    // The name is the hash of the bytes and was checked: this is the text that was encoded.
    return Buffer.from(bytes).toString("utf8") as EncodedValue;
  }

  get cache(): JournalCache {
    const { store } = this.#options;
    return {
      nowMs: () => store.nowMs(),
      find: (key) => store.findCache(key),
      findLatest: (address) => store.findLatestCache(address),
      put: async (entry) => void (await this.#write({ kind: "put-cache", entry, events: [] })),
    };
  }

  #write(write: Unfenced): Promise<WriteResult> {
    const { runId, epoch } = this.#options;
    return this.#send({ ...write, runId, epoch });
  }

  #send(write: Fenced): Promise<WriteResult> {
    const { liveOnly = null } = this.#options;
    if (liveOnly !== null && write.events.length > 0) return this.#sendAround(write, liveOnly);
    return this.#sendAll(write);
  }

  async #sendAround(write: Fenced, { types, tell }: LiveOnly): Promise<WriteResult> {
    const stored = write.events.filter(({ type }) => !types.has(type));
    const result = await this.#sendAll({ ...write, events: stored });
    for (const draft of write.events) if (types.has(draft.type)) tell(draft);
    return result;
  }

  #sendAll(write: Fenced): Promise<WriteResult> {
    return this.#options.committer.write(write).then((result) => this.#hear(write, result));
  }

  #hearRelease(write: Fenced, result: WriteResult): void {
    try {
      this.#hear(write, result);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  #told(events: readonly EventDraft[], result: Extract<WriteResult, { kind: "done" }>): void {
    const told = result.added === undefined ? events : [...events, ...result.added];
    if (told.length > 0) this.#options.onTold(told, result.numbers);
  }

  #hear(write: Fenced, result: WriteResult): WriteResult {
    const { runId, epoch } = write;
    switch (result.kind) {
      case "done":
        this.#told(write.events, result);
        return result;
      case "permitted":
        if (result.told !== null) this.#options.onTold(result.told.events, result.told.numbers);
        return result;
      case "kept":
      case "held-back":
        return result;
      case "lease-lost":
        throw new MillraceError(
          "LEASE_LOST",
          `Run ${runId} has another owner now; nothing was written.`,
          {
            hint: "another process resumed or cancelled it",
            details: { run: runId, epoch },
          },
        );
      default:
        throw new MillraceError(
          "RUN_STATE_CONFLICT",
          `A write of run ${runId} was refused: ${write.kind}.${reasonOf(result)}`,
          {
            hint: "what it would have changed has ended already",
            details: { run: runId, epoch, write: write.kind },
          },
        );
    }
  }
}

const NO_EVENTS: readonly EventDraft[] = Object.freeze([]);

function toPermitResult(result: WriteResult): PermitResult {
  if (result.kind === "permitted" || result.kind === "held-back") return result;
  throw new TypeError(`Permits were answered with "${result.kind}".`);
}

function reasonOf(result: WriteResult): string {
  return result.kind === "conflict" ? ` ${result.reason}` : "";
}

/** Events as they were stored: the drafts of one write with the numbers it got. */
export function toEvents(
  run: string,
  drafts: readonly EventDraft[],
  numbers: EventNumbers,
): readonly MillraceEvent[] {
  const { firstSeq, firstRunSeq, atMs } = numbers;
  return drafts.map((draft, index) => ({
    ...draft,
    seq: firstSeq + index,
    runSeq: firstRunSeq + index,
    atMs,
    run,
  }));
}
