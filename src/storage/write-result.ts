// What may become of a write, the same for every store: done, with the numbers its events got, or refused with what
// stands in the way. The writes themselves are `write.ts`.

import type { EventDraft } from "../model/event.ts";
import type { RunRecord } from "../model/run.ts";
import type { EncodedValue } from "../std/value.ts";
import type { StoreRecord } from "./records/record-write.ts";
import type { PermitResult } from "./permits/permit-write.ts";

/** Numbers that the events of a write got: its k-th event, from 0, has firstSeq + k and firstRunSeq + k. */
export interface EventNumbers {
  readonly firstSeq: number;
  readonly firstRunSeq: number;
  /** Of the transaction, by the store's clock. */
  readonly atMs: number;
}

/** A run that was claimed from its queue. */
export interface NextRun {
  readonly run: RunRecord;
  readonly numbers: EventNumbers;
  readonly events: readonly EventDraft[];
  /** Hash of the definition it had worked under before. */
  readonly formerHash: string;
}

/** What became of one write. One refused write never harms its neighbours. */
export type WriteResult =
  | PermitResult
  /** `run` as it is now, after `create-run`, `claim-run`, `request-cancel` and `interrupt-run`. */
  | {
      readonly kind: "done";
      readonly numbers: EventNumbers;
      readonly run?: RunRecord;
      /** What the store told besides, numbered after the events of the write. */
      readonly added?: readonly EventDraft[];
    }
  /** The epoch is not the run's current one, or the run is gone: nothing was changed. */
  | { readonly kind: "lease-lost" }
  /** The key of the new run is taken. */
  | { readonly kind: "key-taken"; readonly run: RunRecord }
  /** As many runs of its pipeline are running as may be; `run` is one of them. */
  | { readonly kind: "busy"; readonly run: RunRecord }
  /** As many runs of its pipeline are queued or waiting as may be. */
  | { readonly kind: "full"; readonly queued: number }
  /** Not in a state that allows it, which `reason` says in a sentence; `run` null: there is no such run. */
  | { readonly kind: "conflict"; readonly run: RunRecord | null; readonly reason: string }
  /** A memo of that name was there first. */
  | { readonly kind: "kept"; readonly value: EncodedValue }
  /** The records as they are now, in the order of the puts, without those that were deleted; `run`: the one that was
   *  made with them. `numbers`: of the events that concern no run. */
  | {
      readonly kind: "recorded";
      readonly numbers: EventNumbers;
      readonly records: readonly StoreRecord[];
      readonly run?: RunRecord;
    }
  /** A record is not at the revision that was expected: as it is, or null where there is none. */
  | { readonly kind: "record-conflict"; readonly key: string; readonly record: StoreRecord | null }
  /** The batch is there. */
  | { readonly kind: "kept-batch" }
  /** In the order of the queue; empty: nothing to do there. */
  | { readonly kind: "claimed"; readonly runs: readonly NextRun[] }
  /** Ids that are gone, ids of runs that are not there or not in such a state, and how many rows went. */
  | {
      readonly kind: "deleted";
      readonly deleted: readonly string[];
      readonly kept: readonly string[];
      readonly items: number;
      readonly events: number;
    }
  /** `nextWakeAtMs`: null when no run waits for a time. */
  | { readonly kind: "woken"; readonly count: number; readonly nextWakeAtMs: number | null };
