// What an attempt has at the gate: its place in line, or its permits. Most attempts have neither.

import type { EndedCall, Hindrance, Permit } from "./permit-request.ts";
import type { Visit } from "./visit.ts";

/** An attempt that uses resources. */
export class AtGate {
  /** Until it is let in or leaves. */
  visit: Visit | null = null;
  /** From then on, until its end is stored. */
  permit: Permit | null = null;
  /** It asks for, waits for or holds the permit of a block. */
  isInBlock: boolean = false;
  /** Its slot is somebody else's while its block waits. */
  isSlotAway: boolean = false;
  /** How its last call failed, until its permits are given back; null: it did not. */
  failed: Extract<EndedCall, { kind: "failed" }> | null = null;
  /** How often breakers have deferred it, where it has no history that counts that. */
  deferrals: number = 0;
  /** Until when a breaker has deferred it, monotonic ms: to be told so again until then is no further deferral. */
  deferredUntilMs: number = -Infinity;
  /** Why it waits, as it was last told, and since when, monotonic ms. */
  waits: { readonly hindrance: Hindrance; readonly sinceMs: number } | null = null;
  /** What was stored and told of its wait, and when, monotonic ms; null: nothing. */
  told: { readonly blocker: string; readonly atMs: number } | null = null;

  /** A block of it waits, and that was told: its row says more of it than that it runs. */
  get isTellingBlock(): boolean {
    return this.isInBlock && this.waits !== null && this.told !== null;
  }
}
