// The breaker of one resource key as data: what it allows, how it stands, and whether a call may go. Modes:
// closed lets calls go, few of them just after an opening; open lets none go until its time is over; half_open
// lets probes go. What becomes of a call is `record-call.ts`, moves by hand are `override-breaker.ts`. Pure: the
// caller keeps the row, writes it by compare-and-set on `generation`, and holds the permits of probes.

/** When a breaker opens and how it recovers. No number may be 0: that is refused where terms are read. */
export interface BreakerTerms {
  /** Counted failures in a row that open it, 1 or more. */
  readonly threshold: number;
  /** How long the first opening lasts, ms, above 0. */
  readonly recoveryMs: number;
  /** Opens it besides at this share of failures (above 0, at most 1) among enough calls; null: never. */
  readonly ratio: BreakerRatio | null;
  /** Probes at once while half open, over all processes, 1 to 3. */
  readonly probes: number;
  /** Successes of probes that close it, 1 or more. */
  readonly successes: number;
}

/** A share of failures over a window of ten buckets. */
export interface BreakerRatio {
  readonly of: number;
  readonly windowMs: number;
  /** Counted calls in the window below which the share says nothing. */
  readonly minCalls: number;
}

/** Set by hand until it lapses. */
export interface BreakerOverride {
  readonly kind: "force-open" | "force-closed";
  readonly untilMs: number;
  readonly reason: string;
  readonly actor: string;
}

/**
 * How a breaker stands, for all processes: plain JSON data, one row of a store. All times are the store's clock.
 * An answer that holds the very state that was given has nothing to write.
 */
export type BreakerState = BreakerMark & BreakerMode;

/** What every mode has. */
export interface BreakerMark {
  /** Rises with every change of the row: what a write compares, and what a permit carries. */
  readonly generation: number;
  /** The generation of the last move; results of permits from before it are dropped. */
  readonly sinceGeneration: number;
  /** When the last move was. */
  readonly sinceMs: number;
  /** Openings since it was last closed for five minutes; judged at the next opening. */
  readonly openings: number;
  /** May have lapsed; the next move drops it then. */
  readonly override: BreakerOverride | null;
}

/** What differs between the modes. */
export type BreakerMode =
  | {
      readonly state: "closed";
      /** After an opening: start of the ramp; null: no ramp. */
      readonly closedAtMs: number | null;
      /** Permits given in the present second of the ramp. */
      readonly rampUsed: number;
      /** Which second of the ramp that is, from 0. */
      readonly rampWindow: number;
    }
  | {
      readonly state: "open";
      /** Of failures alone; `override` may last longer. */
      readonly openUntilMs: number;
      /** How long the other side asked to be left alone, ms; 0: it said nothing. */
      readonly hintMs: number;
    }
  | {
      readonly state: "half_open";
      /** Of probes, so far. */
      readonly successes: number;
    };

/** May the call go? `state` is to be stored where it differs. */
export type BreakerAnswer =
  | { readonly pass: true; readonly probe: boolean; readonly state: BreakerState }
  | {
      readonly pass: false;
      /** `forced`: opened by hand. `probing`: all probes are out. `ramp`: closed, but too soon for so many. */
      readonly because: "open" | "probing" | "ramp" | "forced";
      /** When it may clear; null: when a probe ends, or its permit does. */
      readonly untilMs: number | null;
      readonly state: BreakerState;
    };

/** Longest opening that grows from failures, ms: 10 min. A longer `recovery` or hint is kept. */
export const BREAKER_OPEN_MS_MAX = 600_000;
/** How long a breaker stays closed before its openings are forgotten, ms: 5 min. */
export const BREAKER_STABLE_MS = 300_000;

const RAMP_SECONDS = 30;
const SECOND_MS = 1_000;
const PROBE_TIMEOUT_MS_DEFAULT = 60_000;
const PROBE_GRACE_MS = 5_000;

/** A breaker that never opened. */
export function newBreaker(nowMs: number): BreakerState {
  return {
    generation: 1,
    sinceGeneration: 1,
    sinceMs: nowMs,
    openings: 0,
    override: null,
    ...CLOSED,
  };
}

/** Closed without a ramp. */
export const CLOSED: BreakerMode = {
  state: "closed",
  closedAtMs: null,
  rampUsed: 0,
  rampWindow: 0,
};

/** The state after a move: a new generation, from which on older results count no more. */
export function moveBreaker(
  state: BreakerState,
  mode: BreakerMode,
  {
    nowMs,
    ...marks
  }: { readonly nowMs: number } & Partial<Pick<BreakerMark, "openings" | "override">>,
): BreakerState {
  const generation = state.generation + 1;
  return {
    openings: state.openings,
    override: findOverride(state, nowMs),
    ...marks,
    generation,
    sinceGeneration: generation,
    sinceMs: nowMs,
    ...mode,
  };
}

/** The override that holds now; null: there is none, or it has lapsed. */
export function findOverride(state: BreakerState, nowMs: number): BreakerOverride | null {
  return state.override !== null && nowMs < state.override.untilMs ? state.override : null;
}

/**
 * May a call go? `probesHeld`: permits of probes out there that have not expired, of all generations. A call that
 * goes carries `state.generation`; one with `probe` also needs a permit that lasts `probePermitMs`. Where the state
 * differs, the call goes only once that is stored; a lost compare-and-set asks again with the state that won.
 */
export function askBreaker(
  terms: BreakerTerms,
  state: BreakerState,
  at: { readonly nowMs: number; readonly probesHeld: number },
): BreakerAnswer {
  const { nowMs } = at;
  const override = findOverride(state, nowMs);
  if (override?.kind === "force-closed") return { pass: true, probe: false, state };
  if (override !== null) {
    const endsMs = state.state === "open" ? openingEndsAtMs(terms, state) : 0;
    const untilMs = Math.max(override.untilMs, endsMs);
    return { pass: false, because: "forced", untilMs, state };
  }
  if (state.state === "closed") return askRamp(state, nowMs);
  const halfOpen = presentBreaker(terms, state, nowMs);
  if (halfOpen.state === "open") {
    return { pass: false, because: "open", untilMs: openingEndsAtMs(terms, halfOpen), state };
  }
  return at.probesHeld < terms.probes
    ? { pass: true, probe: true, state: halfOpen }
    : { pass: false, because: "probing", untilMs: null, state: halfOpen };
}

function toHalfOpen(state: BreakerState, nowMs: number): BreakerState {
  return moveBreaker(state, { state: "half_open", successes: 0 }, { nowMs });
}

/** 1, 2, 4, … permits per second, so that those who waited do not all come at once. */
function askRamp(state: BreakerState & { readonly state: "closed" }, nowMs: number): BreakerAnswer {
  const { closedAtMs, rampWindow } = state;
  if (closedAtMs === null || nowMs >= closedAtMs + RAMP_SECONDS * SECOND_MS) {
    return { pass: true, probe: false, state };
  }
  // A clock that steps back must not give the permits of a second again.
  const window = Math.max(rampWindow, Math.floor((nowMs - closedAtMs) / SECOND_MS));
  const used = window === rampWindow ? state.rampUsed : 0;
  if (used >= 2 ** window) {
    const untilMs = closedAtMs + (window + 1) * SECOND_MS;
    return { pass: false, because: "ramp", untilMs, state };
  }
  const generation = state.generation + 1;
  const counted = { ...state, generation, rampUsed: used + 1, rampWindow: window };
  return { pass: true, probe: false, state: counted };
}

/** How long the permit of a probe lasts, ms: a probe that is stuck must not keep others from probing. */
export function probePermitMs(attemptTimeoutMs: number | null): number {
  return (attemptTimeoutMs ?? PROBE_TIMEOUT_MS_DEFAULT) + PROBE_GRACE_MS;
}

/**
 * When an opening ends by itself: at its time, and no later than the longest that its terms or its hint allow. A
 * `recovery` that was made shorter holds for what is open already.
 */
export function openingEndsAtMs(
  { recoveryMs }: BreakerTerms,
  { openUntilMs, sinceMs, hintMs }: BreakerState & { readonly state: "open" },
): number {
  return Math.min(openUntilMs, sinceMs + Math.max(BREAKER_OPEN_MS_MAX, recoveryMs, hintMs));
}

/** How it stands now, also after a restart: an opening that is over is half open, never closed, whoever stores that. */
export function presentBreaker(
  terms: BreakerTerms,
  state: BreakerState,
  nowMs: number,
): BreakerState {
  if (state.state !== "open" || findOverride(state, nowMs) !== null) return state;
  return openingEndsAtMs(terms, state) <= nowMs ? toHalfOpen(state, nowMs) : state;
}
