// Writes about permits: an attempt asks for its resources and gives them back; a person sets or resets one. Permits
// are rows that belong to a run under one epoch: whoever raises the epoch frees them.

import type { EventDraft } from "../../model/event.ts";
import type {
  BreakerDeclared,
  QuotaDeclared,
  ResourceTerms,
} from "../../model/resource/resource.ts";
import type { AdmissionRefusal, ResourceState } from "../../policy/admission.ts";
import type { BreakerState } from "../../policy/breaker/breaker.ts";
import type { BreakerCounts } from "../../policy/breaker/breaker-counts.ts";
import type { CallOutcome } from "../../policy/breaker/breaker-outcome.ts";

/** Whose permits. */
export interface PermitAddress {
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  /** 0: of the attempt; others: of a block in it. */
  readonly slot: number;
}

/** One key of a resource; the key is empty where the resource has none. */
export interface ResourceAddress {
  readonly resource: string;
  readonly key: string;
}

/**
 * Asks for the permits of an attempt, all or none. Answers `permitted`, or `held-back` with what stands in the way,
 * and then nothing is taken or debited. Asking again under the same address changes nothing that is held.
 */
export interface TakePermitsWrite extends PermitAddress {
  readonly kind: "take-permits";
  readonly runId: string;
  readonly epoch: number;
  readonly events: readonly EventDraft[];
  /** The process that asks. */
  readonly worker: string;
  /** In the order of resource and key, at least one. */
  readonly uses: readonly TakenUse[];
}

/** One resource that is asked for. */
export interface TakenUse extends ResourceAddress {
  readonly terms: ResourceTerms;
  /** Units of each quota; null: 1 of each. */
  readonly costs: readonly number[] | null;
  readonly maxWaitMs: number | null;
  /** How long its permit lasts if it is that of a probe, ms. */
  readonly probeMs: number;
  /** For how long the attempt has waited for this key, ms; 0: it did not. */
  readonly waitedMs: number;
  /** Others that wait for this key in the process that asks. */
  readonly waiting: number;
}

/** Gives permits of an attempt back. What is not held any more is passed over. */
export interface ReleasePermitsWrite extends PermitAddress {
  readonly kind: "release-permits";
  readonly runId: string;
  readonly epoch: number;
  readonly events: readonly EventDraft[];
  readonly uses: readonly ReturnedUse[];
}

/** One resource that is given back. */
export interface ReturnedUse extends ResourceAddress {
  readonly outcome: CallOutcome;
  /** What its breaker is told; null: nothing that could move it. */
  readonly call: ReturnedCall | null;
  /** The other side asked to be left alone for so long, ms; null: it did not. */
  readonly pauseMs: number | null;
  /** The other side said that nothing is left of its allowance for so long, ms: quotas give nothing before. Default: it
   *  did not. */
  readonly resetMs?: number | null;
}

/** A call that may move a breaker. */
export interface ReturnedCall {
  readonly terms: BreakerDeclared;
  /** What this process had counted before it. */
  readonly counts: BreakerCounts;
  readonly generation: number;
  readonly probe: boolean;
  readonly hintMs: number | null;
  /** Chance in [0, 1), for the spread of an opening. */
  readonly chance: number;
}

/** A person sets one key of a resource, or the whole of it (empty key), or puts it back. */
export interface SetResourceWrite extends ResourceAddress {
  readonly kind: "set-resource";
  readonly change: ResourceOrder;
  readonly actor: string;
  readonly reason: string;
}

/** What is set. `forMs` null: until it is reset. */
export type ResourceOrder =
  | {
      readonly kind: "override";
      /** Null: as declared. */
      readonly limit: number | null;
      /** Null: as declared. */
      readonly quotas: readonly QuotaDeclared[] | null;
      readonly forMs: number | null;
    }
  | { readonly kind: "trip"; readonly forMs: number }
  /** Lifts overrides and pauses, closes the breaker. */
  | { readonly kind: "reset" };

/** Numbers that events got; see `EventNumbers`. */
export interface ToldNumbers {
  readonly firstSeq: number;
  readonly firstRunSeq: number;
  readonly atMs: number;
}

/** A permit that was granted. */
export interface PermitGrant {
  readonly probe: boolean;
  /** Of its breaker; 0: it has none. */
  readonly generation: number;
  /** How its breaker stands; null: closed, and never anything else. */
  readonly breaker: BreakerState | null;
}

/** What became of such a write, besides what may become of any. */
export type PermitResult =
  /** In the order of the uses. `room`: how many more like this one would be granted now, and what bounds them. */
  | {
      readonly kind: "permitted";
      readonly permits: readonly PermitGrant[];
      readonly room: number;
      readonly roomBy: "limit" | "quota";
      readonly atMs: number;
      /** What was told of it; null: nothing. */
      readonly told: {
        readonly events: readonly EventDraft[];
        readonly numbers: ToldNumbers;
      } | null;
    }
  | {
      readonly kind: "held-back";
      readonly refusal: AdmissionRefusal;
      /** Others' waiters went first. */
      readonly inTurn: boolean;
      readonly atMs: number;
    }
  | {
      readonly kind: "resource-set";
      readonly record: ResourceRecord;
      /** What was told of it. */
      readonly events: readonly EventDraft[];
    };

/** How one key of a resource stands. */
export interface ResourceRecord extends ResourceAddress {
  readonly state: ResourceState;
  readonly totals: ResourceTotals;
  readonly held: number;
  /** Over all processes, as they last said. */
  readonly waiting: number;
  /** What was declared when it was last used; null: it was only set by hand. */
  readonly terms: ResourceTerms | null;
  readonly usedAtMs: number;
}

/** Counts of one key since it was first used. */
export interface ResourceTotals {
  readonly granted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Uses that were refused for good, as they would have waited too long. */
  readonly throttled: number;
  /** Units debited, of all quotas. */
  readonly consumed: number;
  /** Null: none. */
  readonly lastFailureAtMs: number | null;
}

/** A permit that is held. */
export interface PermitRecord extends ResourceAddress, PermitAddress {
  readonly runId: string;
  readonly takenAtMs: number;
  readonly probe: boolean;
}
