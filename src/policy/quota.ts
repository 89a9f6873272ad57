// GCRA: may so many units be taken now, and if not, when. A key's whole state is one time per window, so a
// store can keep it in a row and decide in one statement; in any window W at most `burst + W / interval`
// units pass. Times are whole µs of the store clock, which never falls below a time that is stored; who waits, in
// which order, is left to the callers.

import { DURATION_MS_MAX, HINT_MS_MAX, QUOTA_FILL_US_MAX } from "../model/limits.ts";
import { assert } from "../std/error/assert.ts";

const US_PER_MS = 1_000;
/** What a window that was never used comes to: full, whatever the time. */
const UNUSED: QuotaState = { tatUs: 0, lastNowUs: 0 };

/** One window, in numbers. */
export interface QuotaTerms {
  /** Time that pays for one unit, whole µs, rounded up: a rate is never exceeded, at most missed. */
  readonly intervalUs: number;
  /** Units that may go at once after a rest. */
  readonly burst: number;
  /** Longest wait for this window; 0: never wait, null: 366 days, the longest duration there is. */
  readonly maxWaitMs: number | null;
}

/** What is kept of one window of one key. */
export interface QuotaState {
  /** When the window is full again: everything taken is paid for by then. */
  readonly tatUs: number;
  /** Newest time at which units were taken; time does not go back behind it. */
  readonly lastNowUs: number;
}

/** One take from all windows of a key. `terms` and `states` have one entry per window, in one order. */
export interface QuotaRequest {
  readonly terms: readonly QuotaTerms[];
  /** undefined: never used, so full. */
  readonly states: readonly (QuotaState | undefined)[];
  /** Units, 0 or more; a fraction is debited to the µs. 0 is free: granted, and nothing changes. */
  readonly cost: number;
  /** Time of the store clock. */
  readonly nowUs: number;
}

/** Granted: what to store. */
export interface QuotaGrant {
  readonly granted: true;
  readonly states: readonly QuotaState[];
}

/** Refused; nothing changes in any window. */
export interface QuotaRefusal {
  readonly granted: false;
  /** `impossible`: the cost is above the burst, so no wait helps. `max-wait`: it would have to wait too long. */
  readonly because: "wait" | "max-wait" | "impossible";
  /** Whole ms, rounded up, after which the same take would be granted; 0 when impossible. */
  readonly waitMs: number;
  /** Position, from 0, of the window that binds. */
  readonly index: number;
}

/** Answer to a take. */
export type QuotaAnswer = QuotaGrant | QuotaRefusal;

/** Answer to a reservation: the caller may go `waitMs` from now, and never meets `because: "wait"`. */
export type QuotaReservation = (QuotaGrant & { readonly waitMs: number }) | QuotaRefusal;

/** Numbers of one window. `burst` defaults to the rate, and to no less than 1. */
export function quotaTerms(options: {
  readonly rate: number;
  readonly perMs: number;
  readonly burst?: number;
  readonly maxWaitMs?: number;
}): QuotaTerms {
  const { rate, perMs, burst = Math.max(1, rate), maxWaitMs = null } = options;
  assert(isAbove0(rate), `A quota's rate must be above 0; got "${rate}".`);
  assert(isAbove0(perMs), `A quota's period must be above 0 ms; got "${perMs}".`);
  assert(
    Number.isFinite(burst) && burst >= 1,
    `A quota's burst must be 1 or more; got "${burst}".`,
  );
  assert(
    maxWaitMs === null || (Number.isFinite(maxWaitMs) && maxWaitMs >= 0),
    `A quota's longest wait must be 0 ms or more; got "${maxWaitMs}".`,
  );
  const intervalUs = Math.ceil((perMs * US_PER_MS) / rate);
  assert(
    intervalUs * burst <= QUOTA_FILL_US_MAX,
    `A quota's burst of "${burst}" must fill within ${QUOTA_FILL_US_MAX} µs; it needs ${intervalUs} µs per unit.`,
  );
  return { intervalUs, burst, maxWaitMs };
}

/** Takes `cost` units from all windows at once, or from none. */
export function takeQuota(request: QuotaRequest): QuotaAnswer {
  const answer = decide(request);
  if (!answer.granted) return answer;
  if (answer.waitMs > 0) {
    return { granted: false, because: "wait", waitMs: answer.waitMs, index: answer.index };
  }
  return { granted: true, states: answer.states };
}

/**
 * Takes at once what is due only in `waitMs`, so that whoever asks later goes later. The caller sleeps that long
 * and goes without asking again. Waits are whole ms: of windows whose burst is one take, at most one a ms.
 */
export function reserveQuota(request: QuotaRequest): QuotaReservation {
  const answer = decide(request);
  if (!answer.granted) return answer;
  return { granted: true, states: answer.states, waitMs: answer.waitMs };
}

/**
 * Gives back a take (or reservation) that was provably never sent. `taken` is the state which it left; unless
 * that is still the state of every window, somebody has taken after it and nothing changes.
 */
export function refundQuota(refund: {
  readonly terms: readonly QuotaTerms[];
  readonly states: readonly QuotaState[];
  readonly taken: readonly QuotaState[];
  readonly cost: number;
}): readonly QuotaState[] {
  const { terms, states, taken, cost } = refund;
  assertCost(cost);
  assert(
    states.length === terms.length,
    `A refund of ${terms.length} windows came with ${states.length} states.`,
  );
  if (!states.every((state, index) => isSame(state, taken[index]))) return states;
  return states.map((state, index) => ({
    tatUs: state.tatUs - debitUs(terms[index], cost),
    lastNowUs: state.lastNowUs,
  }));
}

/**
 * Gives back units whose take is not at hand, as if they were the newest: at once, before others take, for units
 * that flowed back since then would let more pass than the rate. Never above the burst.
 */
export function creditQuota(credit: {
  readonly terms: readonly QuotaTerms[];
  readonly states: readonly (QuotaState | undefined)[];
  readonly cost: number;
  readonly nowUs: number;
}): readonly (QuotaState | undefined)[] {
  const { terms, states, cost, nowUs } = credit;
  assertCost(cost);
  return states.map((state, index) => {
    if (state === undefined) return state;
    const { tatUs, lastNowUs } = at(state, nowUs);
    return { tatUs: Math.max(lastNowUs, tatUs - debitUs(terms[index], cost)), lastNowUs };
  });
}

/** Whole units of one window that could be taken now. */
export function quotaAvailable(
  terms: QuotaTerms,
  state: QuotaState | undefined,
  nowUs: number,
): number {
  const { tatUs, lastNowUs } = at(state, nowUs);
  return Math.max(0, Math.floor((capacityUs(terms) - (tatUs - lastNowUs)) / terms.intervalUs));
}

/**
 * A server says that nothing is left until `resetAtUs`: no unit before it, and from then on one per interval.
 * Only ever tightens. A reset that has passed changes nothing; beyond 24 h it counts as 24 h.
 */
export function tightenQuota(
  terms: QuotaTerms,
  state: QuotaState | undefined,
  hint: { readonly resetAtUs: number; readonly nowUs: number },
): QuotaState {
  assert(!Number.isNaN(hint.resetAtUs), "A quota's reset time must be a number.");
  const current = at(state, hint.nowUs);
  if (hint.resetAtUs <= current.lastNowUs) return state ?? UNUSED;
  const latestUs = current.lastNowUs + HINT_MS_MAX * US_PER_MS;
  const resetUs = Math.ceil(Math.min(hint.resetAtUs, latestUs));
  // Full at the reset would be too early by a burst: part of it could go before.
  const tatUs = resetUs + capacityUs(terms) - terms.intervalUs;
  return { tatUs: Math.max(current.tatUs, tatUs), lastNowUs: current.lastNowUs };
}

/** One window under one request. */
interface Look {
  readonly index: number;
  readonly terms: QuotaTerms;
  readonly before: QuotaState;
  readonly debitUs: number;
  readonly waitUs: number;
}

type Decision = (QuotaGrant & { readonly waitMs: number; readonly index: number }) | QuotaRefusal;

function decide(request: QuotaRequest): Decision {
  const { terms, states, cost, nowUs } = request;
  assertCost(cost);
  assert(
    Number.isSafeInteger(nowUs) && nowUs >= 0,
    `A quota's time must be whole µs from 0; got "${nowUs}".`,
  );
  assert(
    states.length === terms.length,
    `A take of ${terms.length} windows came with ${states.length} states.`,
  );
  if (cost === 0) {
    const kept = states.map((state) => state ?? UNUSED);
    return { granted: true, states: kept, waitMs: 0, index: 0 };
  }
  const impossible = terms.findIndex(({ burst }) => cost > burst);
  if (impossible >= 0) {
    return { granted: false, because: "impossible", waitMs: 0, index: impossible };
  }
  const looks = terms.map((window, index) => lookAt(window, index, request));
  const tooLong = longest(looks.filter(isTooLong));
  if (tooLong !== undefined) {
    return { granted: false, because: "max-wait", waitMs: waitMsOf(tooLong), index: tooLong.index };
  }
  return goAfterLongest(looks);
}

function lookAt(terms: QuotaTerms, index: number, request: QuotaRequest): Look {
  const before = at(request.states[index], request.nowUs);
  const debit = debitUs(terms, request.cost);
  const waitUs = Math.max(0, before.tatUs + debit - capacityUs(terms) - before.lastNowUs);
  return { index, terms, before, debitUs: debit, waitUs };
}

/** All windows are debited for the moment at which the caller goes: when the slowest of them lets it. */
function goAfterLongest(looks: readonly Look[]): Decision {
  const binding = longest(looks);
  const waitMs = binding === undefined ? 0 : waitMsOf(binding);
  const states = looks.map(({ before, debitUs: debit }) => ({
    // The wait as it will be slept, in whole ms: to the µs, two who sleep might go too close together.
    tatUs: Math.max(before.tatUs, before.lastNowUs + waitMs * US_PER_MS) + debit,
    lastNowUs: before.lastNowUs,
  }));
  return { granted: true, states, waitMs, index: binding?.index ?? 0 };
}

/** The state as it counts at `nowUs`: time does not go back, and a time to be full that has passed is now. */
function at(state: QuotaState | undefined, nowUs: number): QuotaState {
  const known = state ?? UNUSED;
  const lastNowUs = Math.max(nowUs, known.lastNowUs);
  return { tatUs: Math.max(lastNowUs, known.tatUs), lastNowUs };
}

function capacityUs(terms: QuotaTerms): number {
  return Math.floor(terms.burst * terms.intervalUs);
}

function debitUs(terms: QuotaTerms | undefined, cost: number): number {
  assert(terms !== undefined, "A quota's state has no terms.");
  // A whole burst is always possible, also where rounding up would put it a µs above the capacity.
  return Math.min(Math.ceil(cost * terms.intervalUs), capacityUs(terms));
}

function longest(looks: readonly Look[]): Look | undefined {
  let found: Look | undefined;
  for (const look of looks) {
    if (found === undefined || look.waitUs > found.waitUs) found = look;
  }
  return found;
}

function isTooLong(look: Look): boolean {
  return waitMsOf(look) > (look.terms.maxWaitMs ?? DURATION_MS_MAX);
}

function waitMsOf(look: Look): number {
  return Math.ceil(look.waitUs / US_PER_MS);
}

function isSame(state: QuotaState, other: QuotaState | undefined): boolean {
  return state.tatUs === other?.tatUs && state.lastNowUs === other.lastNowUs;
}

function isAbove0(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}

function assertCost(cost: number): void {
  assert(Number.isFinite(cost) && cost >= 0, `A quota's cost must be 0 or more; got "${cost}".`);
}
