// What an attempt asks the gate for, what it may get, and who is told when its turn may have come.

import type { BlockerKind } from "../../model/blocker.ts";
import type { ResourceDeclaration, ResourceUse } from "../../model/resource/resource.ts";
import type { CallFailure } from "../../policy/breaker/breaker-outcome.ts";
import type {
  PermitAddress,
  PermitResult,
  ReleasePermitsWrite,
  TakePermitsWrite,
} from "../../storage/permits/permit-write.ts";

/** A use whose declaration is known. */
export interface BoundUse extends ResourceUse {
  readonly declaration: ResourceDeclaration;
}

/** Where permits come from: the store of a durable run, or the process itself. */
export interface PermitSource {
  /** All or none. A promise where a store decides; it rejects with LEASE_LOST. */
  take(asked: Asked): PermitResult | Promise<PermitResult>;
  /** Rides on whatever is written next; never rejects. */
  release(returned: Returned): void;
  /** The clock by which the source judges, whole ms. */
  nowMs(): number;
}

/** A take or a release without what its run adds. */
export type Asked = Omit<TakePermitsWrite, "kind" | "runId" | "epoch" | "events" | "worker">;
/** A release without what its run adds. */
export type Returned = Omit<ReleasePermitsWrite, "kind" | "runId" | "epoch" | "events">;

/** What one attempt, or one block in it, asks for. */
export interface PermitRequest {
  readonly address: PermitAddress;
  /** In the order of resource and key. */
  readonly uses: readonly BoundUse[];
  readonly source: PermitSource;
  /** Of the run; one unit is worth a minute of waiting. */
  readonly priority: number;
  /** Of the attempt, for the permit of a probe; null: none. */
  readonly timeoutMs: number | null;
  /** True: an attempt after the first, which a retry budget counts. */
  readonly isRetry: boolean;
  /** What an open breaker means where the resource does not say. */
  readonly whenOpen: "wait" | "fail";
}

/** Why somebody waits in line. */
export interface Hindrance {
  readonly kind: Extract<BlockerKind, "limit" | "quota" | "breaker" | "budget">;
  /** By which its line is known. */
  readonly resource: string;
  readonly key: string | null;
  /** As it was declared, for people. */
  readonly label: string;
  /** The other side asked for a pause. */
  readonly isPause: boolean;
  /** A probe is out, and nothing else stands in the way. */
  readonly isProbing: boolean;
  /** Monotonic ms when it may clear; null: when somebody gives a permit back. */
  readonly untilMs: number | null;
}

/** What became of the call for which permits were held. */
export type EndedCall =
  | { readonly kind: "succeeded" | "cancelled" }
  | {
      readonly kind: "failed";
      readonly failure: CallFailure;
      /** The other side asked to be left alone for so long, ms; null: it did not. */
      readonly hintMs: number | null;
      /** The other side said that nothing is left of its allowance for so long, ms; null: it did not. */
      readonly resetMs: number | null;
    };

/** Permits of one attempt, all that it asked for. */
export interface Permit {
  /** Gives everything back; once. */
  release(ended: EndedCall): void;
}

/** What entering gives. */
export type Entered =
  | { readonly kind: "granted"; readonly permit: Permit }
  /** In line: `wake` is called when its turn may have come, and then it enters again. */
  | { readonly kind: "waiting"; readonly hindrance: Hindrance }
  /** Waiting is of no use: the breaker is open and its callers fail, or a quota would let it wait too long. */
  | { readonly kind: "refused"; readonly hindrance: Hindrance; readonly waitMs: number | null };
