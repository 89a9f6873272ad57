// May an attempt have its resources now? All of them or none, judged in one moment: pauses and breakers first, then
// limits, then quotas, so that nothing is debited for what cannot go. Pure: the caller reads what stands and stores
// what this answers.

import type { BreakerDeclared, QuotaDeclared, ResourceTerms } from "../model/resource/resource.ts";
import { askBreaker, newBreaker, type BreakerState } from "./breaker/breaker.ts";
import {
  quotaAvailable,
  quotaTerms,
  takeQuota,
  tightenQuota,
  type QuotaState,
  type QuotaTerms,
} from "./quota.ts";

/** What all processes share about one key of a resource: plain JSON data, one row of a store. */
export interface ResourceState {
  /** In the order of the quotas; empty: all are full. */
  readonly quotas: readonly QuotaState[];
  /** Null: closed, and never anything else. */
  readonly breaker: BreakerState | null;
  /** The other side asked for a pause until then, store's clock; null: it did not. */
  readonly pausedUntilMs: number | null;
  /** Set by hand until it lapses; null: nothing is. */
  readonly override: ResourceOverride | null;
}

/** What an operator set for one key, or for all keys of a resource. */
export interface ResourceOverride {
  /** Null: as declared. */
  readonly limit: number | null;
  /** Null: as declared. */
  readonly quotas: readonly QuotaDeclared[] | null;
  /** Null: until it is reset. */
  readonly untilMs: number | null;
  readonly actor: string;
  readonly reason: string;
}

/** A key that nobody has used yet. */
export const NEW_RESOURCE_STATE: ResourceState = Object.freeze({
  quotas: [],
  breaker: null,
  pausedUntilMs: null,
  override: null,
});

/** What holds for one key, in the numbers that decide. */
export interface KeyTerms {
  readonly limit: number | null;
  readonly quotas: readonly QuotaTerms[];
  readonly breaker: BreakerDeclared | null;
}

/** One use that is asked for. */
export interface AskedUse {
  readonly terms: KeyTerms;
  /** Units of each quota; null: 1 of each. */
  readonly costs: readonly number[] | null;
  readonly maxWaitMs: number | null;
}

/** How one key stands. */
export interface KeyView {
  readonly state: ResourceState;
  /** Permits out there. */
  readonly held: number;
  /** Of them, probes that have not expired. */
  readonly probesHeld: number;
}

/** What a granted use carries. */
export interface GrantedUse {
  readonly state: ResourceState;
  readonly probe: boolean;
  /** Of its breaker; 0: it has none. */
  readonly generation: number;
}

/** Why not. */
export interface AdmissionRefusal {
  readonly granted: false;
  /** Which use stands in the way. */
  readonly index: number;
  /** `pause`: the other side asked for it. */
  readonly because: "limit" | "quota" | "breaker" | "pause";
  /** When it may clear, store's clock; null: when somebody gives a permit back. */
  readonly untilMs: number | null;
  /** True: waiting is of no use, as it would last longer than the use allows. */
  readonly final: boolean;
  /** Of a breaker: a probe is out, and nothing else stands in the way. */
  readonly probing: boolean;
}

/** The answer. */
export type Admission =
  | {
      readonly granted: true;
      readonly uses: readonly GrantedUse[];
      /** How many more like this one would be granted now; at least so many where a cost is a fraction. */
      readonly room: number;
      /** `limit`: the next one goes when a permit is given back. `quota`: it hears when, if it asks. */
      readonly roomBy: "limit" | "quota";
    }
  | AdmissionRefusal;

/** Room of a key without limit and quotas. */
const ROOM_MAX = 1_000;

/** The numbers that decide about one key, with what an operator has set. */
export function keyTerms(
  terms: ResourceTerms,
  key: string | null,
  override: ResourceOverride | null,
): KeyTerms {
  const declared = findOwn(terms.limits, key) ?? terms.limit;
  const own = findOwn(terms.breakers, key);
  return {
    limit: override?.limit ?? declared,
    quotas: (override?.quotas ?? terms.quotas).map(toQuotaTerms),
    breaker: own ?? terms.breaker,
  };
}

/** Keys come from outside: one may be called "constructor". */
function findOwn<T>(table: Readonly<Record<string, T>>, key: string | null): T | undefined {
  return key !== null && Object.hasOwn(table, key) ? table[key] : undefined;
}

function toQuotaTerms({ rate, perMs, burst, maxWaitMs }: QuotaDeclared): QuotaTerms {
  return quotaTerms({ rate, perMs, burst, ...(maxWaitMs === null ? {} : { maxWaitMs }) });
}

/** The override of a key that holds now, its own before that of the whole resource. */
export function findResourceOverride(
  own: ResourceState,
  whole: ResourceState | null,
  nowMs: number,
): ResourceOverride | null {
  for (const { override } of whole === null ? [own] : [own, whole]) {
    if (override !== null && nowMs < (override.untilMs ?? Infinity)) return override;
  }
  return null;
}

/** Judges uses of an attempt, each against how its key stands. */
export function admit(
  uses: readonly AskedUse[],
  views: readonly KeyView[],
  nowMs: number,
): Admission {
  const granted: GrantedUse[] = [];
  let room = ROOM_MAX;
  let roomBy: "limit" | "quota" = "limit";
  for (const [index, use] of uses.entries()) {
    const view = views[index];
    if (view === undefined) throw new RangeError(`Use ${index} has no view.`);
    const asked = askGates(use, view, nowMs);
    if ("because" in asked) return { granted: false, index, final: false, ...asked };
    granted.push(asked);
    if (use.terms.limit !== null) room = Math.min(room, use.terms.limit - view.held - 1);
    const calls = breakerRoom(use, view, asked);
    if (calls < room) {
      room = calls;
      roomBy = "quota";
    }
  }
  for (const [index, use] of uses.entries()) {
    const found = granted[index];
    if (found === undefined || use.terms.quotas.length === 0) continue;
    const debited = debit(use, found, nowMs);
    if ("because" in debited) return { granted: false, index, ...debited };
    granted[index] = { ...found, state: debited.state };
    if (debited.room < room) {
      room = debited.room;
      roomBy = "quota";
    }
  }
  return { granted: true, uses: granted, room: Math.max(0, room), roomBy };
}

type Refused = Omit<AdmissionRefusal, "granted" | "index" | "final">;

/** How many more calls a breaker lets go that is half open, or that was closed just now. */
function breakerRoom(
  { terms: { breaker } }: AskedUse,
  { state, probesHeld }: KeyView,
  { probe, state: next }: GrantedUse,
): number {
  if (breaker === null || next.breaker === null) return ROOM_MAX;
  if (probe) return breaker.probes - probesHeld - 1;
  // While it is closed it changes for one thing only: calls are counted as they slowly become more.
  const isRamp = next.breaker.state === "closed" && next.breaker !== state.breaker;
  return isRamp ? 2 ** next.breaker.rampWindow - next.breaker.rampUsed : ROOM_MAX;
}

/** The other side says that nothing is left of its allowance for so long: no quota gives a unit before. */
export function tightenQuotas(
  { quotas }: KeyTerms,
  state: ResourceState,
  { resetMs, nowMs }: { readonly resetMs: number; readonly nowMs: number },
): ResourceState {
  const nowUs = nowMs * 1_000;
  const hint = { resetAtUs: nowUs + Math.ceil(resetMs) * 1_000, nowUs };
  return {
    ...state,
    quotas: quotas.map((terms, index) => tightenQuota(terms, state.quotas[index], hint)),
  };
}

/** Pause, breaker, limit: what can be asked without taking anything. */
function askGates(use: AskedUse, view: KeyView, nowMs: number): GrantedUse | Refused {
  const { state, held, probesHeld } = view;
  const { limit, breaker } = use.terms;
  if (state.pausedUntilMs !== null && nowMs < state.pausedUntilMs)
    return { because: "pause", untilMs: state.pausedUntilMs, probing: false };
  let found: GrantedUse = { state, probe: false, generation: 0 };
  if (breaker !== null) {
    const before = state.breaker ?? newBreaker(nowMs);
    const answer = askBreaker(breaker, before, { nowMs, probesHeld });
    if (!answer.pass) {
      const probing = answer.because === "probing";
      return { because: "breaker", untilMs: answer.untilMs, probing };
    }
    // A key that works has no breaker to store: it would be one write per key that is ever used.
    const isNew = state.breaker === null && answer.state === before;
    found = {
      state: isNew ? state : { ...state, breaker: answer.state },
      probe: answer.probe,
      generation: answer.state.generation,
    };
  }
  if (limit !== null && held >= limit) return { because: "limit", untilMs: null, probing: false };
  return found;
}

type Debited =
  | { readonly state: ResourceState; readonly room: number }
  | (Refused & { readonly final: boolean });

/** All quotas grant, or none is debited; the one that takes longest says when to ask again. */
function debit({ terms, costs, maxWaitMs }: AskedUse, found: GrantedUse, nowMs: number): Debited {
  const nowUs = nowMs * 1_000;
  const next: QuotaState[] = [];
  let room = ROOM_MAX;
  let waitMs = 0;
  let isFinal = false;
  for (const [index, declared] of terms.quotas.entries()) {
    const cost = costs?.[index] ?? 1;
    const own = maxWaitMs === null ? declared : { ...declared, maxWaitMs };
    const known = found.state.quotas[index];
    const answer = takeQuota({ terms: [own], states: [known], cost, nowUs });
    if (!answer.granted) {
      waitMs = Math.max(waitMs, answer.waitMs, 1);
      isFinal ||= answer.because !== "wait";
      continue;
    }
    const after = answer.states[0];
    if (after !== undefined) next.push(after);
    if (cost > 0) room = Math.min(room, Math.floor(quotaAvailable(declared, after, nowUs) / cost));
  }
  if (waitMs === 0) return { state: { ...found.state, quotas: next }, room };
  return { because: "quota", untilMs: nowMs + waitMs, probing: false, final: isFinal };
}
