// The breaker against a naive one that keeps lists and reads the rules off them: several processes with copies of
// the row that may be old, calls that end late or never, orders by hand, restarts.

import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Random } from "../../std/random.ts";
import { askBreaker, newBreaker, probePermitMs, presentBreaker } from "./breaker.ts";
import type { BreakerAnswer, BreakerOverride, BreakerState, BreakerTerms } from "./breaker.ts";
import { newCounts, type BreakerCounts } from "./breaker-counts.ts";
import type { CallOutcome } from "./breaker-outcome.ts";
import { forceClosed, resetBreaker, tripBreaker } from "./override-breaker.ts";
import { AUTH_PAUSE_MS, recordCall } from "./record-call.ts";

const PROCESSES = 3;
const DAY_MS = 86_400_000;

/** A call that goes or went: `move` counts the moves of the naive breaker before it. */
interface Call {
  readonly process: number;
  readonly move: number;
  readonly generation: number;
  readonly probe: boolean;
}

interface Ended {
  readonly move: number;
  readonly outcome: CallOutcome;
  readonly atMs: number;
}

/** The rules in their plainest form. */
class NaiveBreaker {
  mode: BreakerState["state"] = "closed";
  move = 0;
  sinceMs: number;
  openings = 0;
  openUntilMs = 0;
  successes = 0;
  rampFromMs: number | null = null;
  override: BreakerOverride | null = null;
  granted: number[] = [];
  readonly ended: Ended[][] = Array.from({ length: PROCESSES }, () => []);
  readonly terms: BreakerTerms;

  constructor(terms: BreakerTerms, nowMs: number) {
    this.terms = terms;
    this.sinceMs = nowMs;
  }

  moveTo(mode: BreakerState["state"], nowMs: number): void {
    Object.assign(this, { mode, sinceMs: nowMs, move: this.move + 1, successes: 0, granted: [] });
    this.rampFromMs = null;
  }

  forced(nowMs: number): BreakerOverride["kind"] | null {
    return this.override !== null && nowMs < this.override.untilMs ? this.override.kind : null;
  }

  ask(nowMs: number, probesHeld: number): string {
    const forced = this.forced(nowMs);
    if (forced === "force-closed") return "go";
    if (forced === "force-open") return "forced";
    if (this.mode === "closed") return this.askRamp(nowMs);
    if (this.mode === "open" && nowMs < this.openUntilMs) return "open";
    if (this.mode === "open") this.moveTo("half_open", nowMs);
    return probesHeld < this.terms.probes ? "probe" : "probing";
  }

  askRamp(nowMs: number): string {
    const from = this.rampFromMs;
    if (from === null || nowMs - from >= 30_000) return "go";
    const secondOf = (atMs: number): number => Math.floor((atMs - from) / 1_000);
    const inSecond = this.granted.filter((atMs) => secondOf(atMs) === secondOf(nowMs));
    if (inSecond.length >= 2 ** secondOf(nowMs)) return "ramp";
    this.granted.push(nowMs);
    return "go";
  }

  /** Answers true where the key is to be paused. */
  end(call: Call, outcome: CallOutcome, nowMs: number): boolean {
    if (call.move < this.move) return false;
    const own = this.ended[call.process] ?? [];
    own.push({ move: this.move, outcome, atMs: nowMs });
    const isPaused = this.endAuth(own, outcome);
    if (this.mode === "half_open") this.endProbe(outcome, nowMs);
    else if (this.forced(nowMs) === null && this.isTooMuch(own, outcome, nowMs)) this.open(nowMs);
    return isPaused;
  }

  endAuth(own: Ended[], outcome: CallOutcome): boolean {
    if (outcome !== "auth") return false;
    const lastSuccess = own.findLastIndex((one) => one.outcome === "success");
    const row = own.slice(lastSuccess + 1).filter((one) => this.counts(one, ["auth"]));
    return row.length % this.terms.threshold === 0;
  }

  endProbe(outcome: CallOutcome, nowMs: number): void {
    if (outcome === "failure") this.open(nowMs);
    if (outcome !== "success") return;
    this.successes++;
    if (this.successes < this.terms.successes) return;
    this.moveTo("closed", nowMs);
    this.rampFromMs = nowMs;
  }

  counts({ move, outcome }: Ended, outcomes: readonly CallOutcome[]): boolean {
    return move === this.move && outcomes.includes(outcome);
  }

  isTooMuch(own: readonly Ended[], outcome: CallOutcome, nowMs: number): boolean {
    if (outcome !== "success" && outcome !== "failure") return false;
    const counted = own.filter((one) => this.counts(one, ["success", "failure"]));
    const row = counted.slice(counted.findLastIndex((one) => one.outcome === "success") + 1);
    if (row.length >= this.terms.threshold) return true;
    const { ratio } = this.terms;
    if (ratio === null) return false;
    const tenthOf = (atMs: number): number => Math.floor(atMs / (ratio.windowMs / 10));
    const recent = counted.filter(({ atMs }) => tenthOf(atMs) > tenthOf(nowMs) - 10);
    const failed = recent.filter((one) => one.outcome === "failure");
    return recent.length >= ratio.minCalls && failed.length / recent.length >= ratio.of;
  }

  open(nowMs: number): void {
    const isStable = this.mode === "closed" && nowMs - this.sinceMs >= 300_000;
    const openings = isStable ? 1 : this.openings + 1;
    this.moveTo("open", nowMs);
    this.openings = openings;
  }

  trip(override: BreakerOverride, nowMs: number): void {
    const openUntilMs = this.mode === "open" ? this.openUntilMs : nowMs;
    this.moveTo("open", nowMs);
    Object.assign(this, { override, openUntilMs });
  }
}

type Action =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "look"; readonly process: number }
  | { readonly kind: "ask"; readonly process: number }
  | {
      readonly kind: "end";
      readonly pick: number;
      readonly outcome: CallOutcome;
      readonly hintMs: number;
      readonly dice: number;
    }
  | { readonly kind: "crash"; readonly pick: number }
  | { readonly kind: "trip" | "close"; readonly process: number; readonly forMs: number }
  | { readonly kind: "reset"; readonly process: number }
  | { readonly kind: "wait-out" }
  | { readonly kind: "restart" };

/** The processes, the row they share, and the naive breaker beside it. */
class World {
  nowMs = 1_000_000;
  row: BreakerState = newBreaker(this.nowMs);
  copies: BreakerState[] = Array.from({ length: PROCESSES }, () => this.row);
  counts: BreakerCounts[] = Array.from({ length: PROCESSES }, newCounts);
  calls: Call[] = [];
  /** When each permit of a probe ends, whether or not its call does. */
  permits = new Map<Call, number>();
  readonly naive: NaiveBreaker;
  readonly terms: BreakerTerms;
  readonly seen: Map<string, number>;

  constructor(terms: BreakerTerms, seen: Map<string, number>) {
    this.terms = terms;
    this.seen = seen;
    this.naive = new NaiveBreaker(terms, this.nowMs);
  }

  see(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  /** Compare-and-set on the generation: first with the copy, and then with the row as it is. */
  change<T extends { readonly state: BreakerState }>(
    process: number,
    decide: (state: BreakerState) => T,
  ): T {
    let from = this.copies[process] ?? this.row;
    let next = decide(from);
    if (from.generation !== this.row.generation) {
      this.see("lost compare-and-set");
      from = this.row;
      next = decide(from);
    }
    if (next.state !== from) assert.equal(next.state.generation, from.generation + 1);
    this.row = JSON.parse(JSON.stringify(next.state));
    assert.deepEqual(this.row, next.state);
    this.copies[process] = this.row;
    return next;
  }

  probesHeld(): number {
    return [...this.permits.values()].filter((untilMs) => this.nowMs < untilMs).length;
  }

  ask(process: number): void {
    const before = this.row;
    const at = { nowMs: this.nowMs, probesHeld: this.probesHeld() };
    const answer = this.change(process, (state) => askBreaker(this.terms, state, at));
    const said = describe(answer);
    assert.equal(said, this.naive.ask(at.nowMs, at.probesHeld));
    this.see(said);
    if (!answer.pass) return;
    assert.equal(before.state === "open" && this.nowMs < before.openUntilMs, false);
    const { generation } = answer.state;
    const call: Call = { process, move: this.naive.move, generation, probe: answer.probe };
    this.calls.push(call);
    if (!answer.probe) return;
    this.permits.set(call, this.nowMs + probePermitMs(20_000));
    assert.ok(this.probesHeld() <= this.terms.probes);
  }

  end(action: Action & { readonly kind: "end" }): void {
    const call = this.take(action.pick);
    if (call === undefined) return;
    this.permits.delete(call);
    const { process, generation, probe } = call;
    const { outcome, hintMs } = action;
    const random: Random = { float: () => action.dice, bytes: (count) => new Uint8Array(count) };
    const ended = { outcome, generation, probe, nowMs: this.nowMs, random };
    const hinted = { ...ended, hintUntilMs: this.nowMs + hintMs };
    const counts = this.counts[process] ?? newCounts();
    const before = this.row;
    const next = this.change(process, (state) =>
      recordCall(this.terms, { state, counts }, hintMs > 0 ? hinted : ended),
    );
    this.counts[process] = next.counts;
    if (call.move < this.naive.move) this.see("stale result");
    const isPaused = this.naive.end(call, outcome, this.nowMs);
    if (isPaused) this.see("pause");
    assert.equal(next.pauseKeyMs, isPaused ? AUTH_PAUSE_MS : null);
    assert.equal(next.moved, before.state !== this.row.state);
    if (outcome === "cancelled" || outcome === "ignored") assert.deepEqual(this.row, before);
    if (next.moved && this.row.state === "open") this.checkOpening(this.row.openUntilMs, hintMs);
    if (next.moved) this.see(`${before.state} to ${this.row.state}`);
  }

  /** How long exactly depends on dice; the rule gives bounds. */
  checkOpening(openUntilMs: number, hintMs: number): void {
    const { recoveryMs } = this.terms;
    const grownMs = Math.min(600_000, recoveryMs * 2 ** (this.naive.openings - 1));
    const isFirst = this.naive.openings === 1;
    const least = isFirst ? recoveryMs : Math.max(recoveryMs, grownMs / 2);
    const most = isFirst ? recoveryMs : Math.max(recoveryMs, grownMs);
    const hint = Math.min(hintMs, DAY_MS);
    assert.ok(openUntilMs - this.nowMs >= Math.max(least, hint));
    assert.ok(openUntilMs - this.nowMs <= Math.max(most, hint));
    this.naive.openUntilMs = openUntilMs;
  }

  take(pick: number): Call | undefined {
    return this.calls.splice(pick % Math.max(1, this.calls.length), 1)[0];
  }

  order(action: Action & { readonly kind: "trip" | "close" }): void {
    const untilMs = this.nowMs + action.forMs;
    const order = { reason: "because", actor: "ada", untilMs };
    if (action.kind === "trip") {
      this.change(action.process, (state) => ({ state: tripBreaker(state, order, this.nowMs) }));
      this.naive.trip({ kind: "force-open", ...order }, this.nowMs);
      return;
    }
    this.change(action.process, (state) => ({ state: forceClosed(state, order, this.nowMs) }));
    this.naive.moveTo("closed", this.nowMs);
    this.naive.override = { kind: "force-closed", ...order };
  }

  reset(process: number): void {
    this.change(process, (state) => ({ state: resetBreaker(state, this.nowMs) }));
    this.naive.moveTo("closed", this.nowMs);
    Object.assign(this.naive, { override: null, openings: 0 });
  }

  /** Until a call may be a probe. */
  waitOut(): void {
    const { naive, nowMs } = this;
    const openUntilMs = naive.mode === "open" ? naive.openUntilMs : 0;
    this.nowMs = Math.max(nowMs, openUntilMs, naive.override?.untilMs ?? 0);
  }

  /** All processes begin anew at once; the permits they held are still there. */
  restart(): void {
    this.calls = [];
    this.copies = this.copies.map(() => this.row);
    this.counts = this.counts.map(newCounts);
    for (const own of this.naive.ended) own.length = 0;
    const { naive, nowMs } = this;
    this.change(0, (state) => ({ state: presentBreaker(this.terms, state, nowMs) }));
    const isOver = naive.mode === "open" && naive.openUntilMs <= nowMs;
    if (isOver && naive.forced(nowMs) === null) naive.moveTo("half_open", nowMs);
  }

  act(action: Action): void {
    const before = this.row;
    if (action.kind === "wait") this.nowMs += action.ms;
    else if (action.kind === "wait-out") this.waitOut();
    else if (action.kind === "look") this.copies[action.process] = this.row;
    else if (action.kind === "ask") this.ask(action.process);
    else if (action.kind === "end") this.end(action);
    else if (action.kind === "crash") this.take(action.pick);
    else if (action.kind === "reset") this.reset(action.process);
    else if (action.kind === "restart") this.restart();
    else this.order(action);
    this.check(before);
  }

  check(before: BreakerState): void {
    const { row, naive } = this;
    assert.ok(row.generation >= before.generation);
    assert.ok(row.sinceGeneration <= row.generation);
    assert.equal(row.state, naive.mode);
    assert.equal(row.sinceMs, naive.sinceMs);
    assert.equal(row.openings, naive.openings);
    if (row.state === "open") assert.equal(row.openUntilMs, naive.openUntilMs);
    if (row.state === "half_open") assert.equal(row.successes, naive.successes);
  }

  /** Nothing ends any more, and yet there comes a time when a call goes. */
  checkNothingIsFrozen(): void {
    this.nowMs += 2 * DAY_MS;
    assert.equal(this.probesHeld(), 0);
    const at = { nowMs: this.nowMs, probesHeld: this.probesHeld() };
    assert.equal(askBreaker(this.terms, this.row, at).pass, true);
  }
}

function describe(answer: BreakerAnswer): string {
  if (!answer.pass) return answer.because;
  return answer.probe ? "probe" : "go";
}

const anyProcess = fc.nat({ max: PROCESSES - 1 });
const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant<CallOutcome>("failure") },
  { weight: 5, arbitrary: fc.constant<CallOutcome>("success") },
  { weight: 3, arbitrary: fc.constant<CallOutcome>("auth") },
  { weight: 1, arbitrary: fc.constantFrom<CallOutcome[]>("ignored", "cancelled") },
);
const waitMs = fc.oneof(
  fc.nat({ max: 1_500 }),
  fc.constantFrom(0, 1_000, 30_000, 65_000, 300_000, 600_000),
);
const hintMs = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(10_000, 900_000, 3 * DAY_MS) },
);
const forMs = fc.constantFrom(500, 20_000, 400_000);
const end = fc.record({
  kind: fc.constant("end" as const),
  pick: fc.nat({ max: 20 }),
  outcome,
  hintMs,
  dice: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 28, arbitrary: fc.record({ kind: fc.constant("ask" as const), process: anyProcess }) },
  { weight: 20, arbitrary: end },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: waitMs }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("look" as const), process: anyProcess }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("crash" as const), pick: fc.nat({ max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("trip", "close"), process: anyProcess, forMs }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const), process: anyProcess }) },
  { weight: 4, arbitrary: fc.constant({ kind: "wait-out" }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" }) },
);
const terms: fc.Arbitrary<BreakerTerms> = fc.record({
  threshold: fc.constantFrom(1, 2, 3),
  recoveryMs: fc.constantFrom(1_000, 30_000, 400_000, 1_200_000),
  ratio: fc.oneof(
    fc.constant(null),
    fc.record({
      of: fc.constantFrom(0.25, 0.5, 1),
      windowMs: fc.constantFrom(1_000, 10_000, 60_000),
      minCalls: fc.integer({ min: 1, max: 5 }),
    }),
  ),
  probes: fc.constantFrom(1, 2, 3),
  successes: fc.constantFrom(1, 2),
});

/** Where a run of actions has to come by, or it has shown nothing. */
const REACHED = [
  "go",
  "probe",
  "open",
  "probing",
  "ramp",
  "forced",
  "stale result",
  "pause",
  "lost compare-and-set",
  "closed to open",
  "half_open to open",
  "half_open to closed",
];

test("whatever processes do, the breaker answers as its rules say, and freezes nobody", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      terms,
      fc.array(action, { minLength: 40, maxLength: 120, size: "max" }),
      (given, actions) => {
        const world = new World(given, seen);
        for (const one of actions) world.act(one);
        world.checkNothingIsFrozen();
      },
    ),
    { numRuns: 300 },
  );

  expect(REACHED.filter((what) => (seen.get(what) ?? 0) === 0)).toEqual([]);
});
