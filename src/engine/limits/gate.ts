// The gate of one process: attempts ask here for the permits of their resources, all together, and wait in line
// without holding anything. Whether there is room is decided by the source of the permits, a store or the process
// itself; whose turn it is, by the lines.

import type { Clock } from "../../std/clock.ts";
import { breakerOutcome, type CallOutcome } from "../../policy/breaker/breaker-outcome.ts";
import { HINT_PAUSE_MS_MAX } from "../../model/limits.ts";
import { newBreaker, probePermitMs } from "../../policy/breaker/breaker.ts";
import type { BreakerCounts } from "../../policy/breaker/breaker-counts.ts";
import { recordCall } from "../../policy/breaker/record-call.ts";
import type { BreakerDeclared } from "../../model/resource/resource.ts";
import type { Random } from "../../std/random.ts";
import type {
  PermitGrant,
  PermitResult,
  ReturnedUse,
  TakenUse,
} from "../../storage/permits/permit-write.ts";
import { KeyLines } from "./key-lines.ts";
import type {
  BoundUse,
  EndedCall,
  Entered,
  Hindrance,
  Permit,
  PermitRequest,
} from "./permit-request.ts";
import { Visit, type Asker } from "./visit.ts";

type Permitted = Extract<PermitResult, { kind: "permitted" }>;
type HeldBack = Extract<PermitResult, { kind: "held-back" }>;

/** Where attempts get the permits of their resources. */
export class Gate {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lines: KeyLines;
  /** Told when the first one waits, and when nobody does any more. */
  onWaiting: (isWaiting: boolean) => void = () => {};
  #isWaiting: boolean = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#lines = new KeyLines(clock);
  }

  /** How many wait in line. */
  get waiting(): number {
    return this.#lines.size;
  }

  /** True while some wait for what others may give back. */
  get isUntimed(): boolean {
    return this.#lines.isUntimed;
  }

  /** Comes to the gate. The visit ends with the permit it gets, with a refusal, or with `leave`. */
  visit(asker: Asker): Visit {
    return new Visit(asker, this.#clock.monotonicMs());
  }

  /** Asks for the permits, or joins a line. At once where no store is asked; rejects with LEASE_LOST. */
  enter(visit: Visit): Entered | Promise<Entered> {
    const { request } = visit.asker;
    const { uses, source, address } = request;
    if (uses.length === 0) {
      visit.isOver = true;
      return { kind: "granted", permit: new HeldPermit(this, request, []) };
    }
    // Where others wait, newcomers go behind them; one who was called is the first of its line.
    const busy =
      visit.called === null ? uses.find((use) => this.#lines.isBusy(nameOf(use))) : undefined;
    if (busy !== undefined) return this.#joinBehind(visit, busy);
    const overdrawn = this.#askBudget(visit);
    if (overdrawn !== null) return this.#holdUp(visit, overdrawn);
    const nowMs = this.#clock.monotonicMs();
    const asked = source.take({
      ...address,
      uses: uses.map((use) => this.#toTaken(visit, use, nowMs)),
    });
    if (!(asked instanceof Promise)) return this.#answer(visit, asked);
    return asked.then(
      (result) => this.#answer(visit, result),
      (error: unknown) => {
        this.leave(visit);
        throw error;
      },
    );
  }

  #serve(): void {
    this.#lines.serve();
    this.#tell();
  }

  #tell(): void {
    const isWaiting = this.#lines.size > 0;
    if (isWaiting === this.#isWaiting) return;
    this.#isWaiting = isWaiting;
    this.onWaiting(isWaiting);
  }

  /** Ends a visit: it leaves its line, and gives up its turn. Repeatable. */
  leave(visit: Visit): void {
    if (visit.isOver) return;
    visit.isOver = true;
    this.#lines.quit(visit);
    this.#lines.endCall(visit);
    this.#serve();
  }

  /** Something may have changed elsewhere: heads of lines ask again. `timed`: also of those that know their time. */
  look(timed: boolean): void {
    this.#lines.look(timed);
    this.#tell();
  }

  /** A key was set by hand, or (null) a resource with all its keys: whoever waits for it asks again. */
  reopen(use: Pick<BoundUse, "resource" | "key">): void {
    this.#lines.reopen(nameOf(use), use.key === null);
    this.#tell();
  }

  /** How many wait for a key. */
  waitingFor(use: Pick<BoundUse, "resource" | "key">): number {
    return this.#lines.waiting(nameOf(use));
  }

  /** Why a visit waits, and how many are ahead of it; null: it does not. */
  explain(visit: Visit): { readonly hindrance: Hindrance; readonly ahead: number } | null {
    const { entry } = visit;
    const hindrance = entry === null ? null : (this.#lines.find(entry.key)?.hindrance ?? null);
    if (entry === null || hindrance === null) return null;
    return { hindrance, ahead: this.#lines.ahead(entry) };
  }

  /** A retry for which its budget has no room waits for it; first tries are counted. */
  #askBudget({ asker: { request } }: Visit): Hindrance | null {
    const nowMs = this.#clock.monotonicMs();
    for (const use of request.uses) {
      if (use.declaration.terms.retryBudget === null) continue;
      const budget = this.#lines.get(nameOf(use)).budget(use.declaration);
      if (!request.isRetry) budget?.noteTry(nowMs);
      else {
        const answer = budget?.admitRetry(nowMs);
        if (answer?.admitted === false) return hindranceOf(use, "budget", answer.retryAtMs);
      }
    }
    return null;
  }

  #toTaken(visit: Visit, use: BoundUse, nowMs: number): TakenUse {
    return {
      resource: use.resource,
      key: use.key ?? "",
      terms: use.declaration.terms,
      costs: use.costs,
      maxWaitMs: use.maxWaitMs,
      probeMs: probePermitMs(visit.asker.request.timeoutMs),
      waitedMs: Math.max(0, Math.floor(nowMs - visit.sinceMs)),
      waiting: this.#lines.waiting(nameOf(use)),
    };
  }

  #answer(visit: Visit, result: PermitResult): Entered {
    if (result.kind === "permitted") return this.#granted(visit, result);
    if (result.kind === "held-back") return this.#heldBack(visit, result);
    throw new TypeError(`Permits were answered with "${result.kind}".`);
  }

  #granted(visit: Visit, { permits, room, roomBy }: Permitted): Entered {
    const { request } = visit.asker;
    for (const [index, use] of request.uses.entries())
      this.#lines.pin(nameOf(use)).breaker = permits[index]?.breaker ?? null;
    const { called, isOver } = visit;
    visit.isOver = true;
    this.#lines.endCall(visit);
    if (isOver) {
      // It was called off while it asked.
      this.giveBack(request, permits, { kind: "cancelled" });
      return { kind: "waiting", hindrance: hindranceOf(firstOf(request.uses), "limit", null) };
    }
    if (called !== null) this.#letNextIn(called, request, { room, roomBy });
    return { kind: "granted", permit: new HeldPermit(this, request, permits) };
  }

  /** As many as there is room for; where a quota is used up, the next one hears when. */
  #letNextIn(
    called: string,
    { uses }: PermitRequest,
    { room, roomBy }: Pick<Permitted, "room" | "roomBy">,
  ): void {
    const use = uses.find((one) => nameOf(one) === called);
    if (use === undefined) return;
    if (room > 0 || roomBy === "quota") this.#lines.open(called, Math.max(1, room));
    else this.#lines.hold(called, hindranceOf(use, "limit", null));
    this.#serve();
  }

  #heldBack(visit: Visit, { refusal, atMs }: HeldBack): Entered {
    const { request } = visit.asker;
    const use = request.uses[refusal.index];
    if (use === undefined) throw new RangeError(`There is no use ${refusal.index}.`);
    const waitMs = refusal.untilMs === null ? null : Math.max(1, refusal.untilMs - atMs);
    const untilMs = waitMs === null ? null : this.#clock.monotonicMs() + waitMs;
    const isPause = refusal.because === "pause";
    const kind = refusal.because === "pause" ? "quota" : refusal.because;
    const hindrance = { ...hindranceOf(use, kind, untilMs), isPause, isProbing: refusal.probing };
    if (!refusal.final && !(kind === "breaker" && failsWhenOpen(use, request)))
      return this.#holdUp(visit, hindrance);
    this.leave(visit);
    return { kind: "refused", hindrance, waitMs };
  }

  /** It waits at the head of the line of what stands in its way. */
  #holdUp(visit: Visit, hindrance: Hindrance): Entered {
    const waiting: Entered = { kind: "waiting", hindrance };
    const name = nameOf(hindrance);
    if (visit.isOver) this.#lines.endCall(visit);
    else {
      // Joined before its turn ends, so that the key is never without a pin.
      this.#lines.join(name, visit);
      this.#lines.hold(name, hindrance);
      this.#lines.endCall(visit);
    }
    this.#serve();
    return waiting;
  }

  #joinBehind(visit: Visit, use: BoundUse): Entered {
    const name = nameOf(use);
    this.#lines.join(name, visit);
    this.#serve();
    const hindrance = this.#lines.find(name)?.hindrance ?? hindranceOf(use, "limit", null);
    return { kind: "waiting", hindrance };
  }

  /** Gives permits back, tells the breakers, and lets the next ones in. */
  giveBack(request: PermitRequest, permits: readonly PermitGrant[], ended: EndedCall): void {
    const { uses, source, address } = request;
    if (uses.length === 0) return;
    const meant = findMeant(uses, ended);
    const nowMs = source.nowMs();
    const returned = uses.map((use, index) =>
      this.#toReturned(use, permits[index], { ended, nowMs, isMeant: meant.includes(use) }),
    );
    source.release({ ...address, uses: returned });
    for (const use of uses) {
      const name = nameOf(use);
      const facts = this.#lines.get(name);
      // A time that is known holds, whoever gives what back.
      if ((facts.hindrance?.untilMs ?? null) === null) this.#lines.open(name, facts.called + 1);
      this.#lines.unpin(name);
    }
    this.#serve();
  }

  #toReturned(
    use: BoundUse,
    permit: PermitGrant | undefined,
    { ended, nowMs, isMeant }: ReturnFacts,
  ): ReturnedUse {
    const { resource, key } = use;
    const breaker = breakerOf(use);
    const outcome = outcomeOf(use, ended);
    const hintMs = isMeant ? findPauseMs(ended) : null;
    const resetMs = isMeant && ended.kind === "failed" ? ended.resetMs : null;
    // What counts as a failure lengthens an opening; what does not pauses the key.
    const pauseMs = breaker === null || outcome !== "failure" ? hintMs : null;
    const returned = { resource, key: key ?? "", outcome, pauseMs, resetMs };
    if (breaker === null || permit === undefined) return { ...returned, call: null };
    const facts = this.#lines.get(nameOf(use));
    const { counts } = facts;
    // What succeeds as ever, at a breaker that never moved, changes nothing that it is judged by.
    if (outcome === "success" && facts.breaker === null && isCalm(breaker, counts))
      return { ...returned, call: null };
    const { generation, probe } = permit;
    const chance = this.#random.float();
    const random = { float: () => chance, bytes: (count: number) => new Uint8Array(count) };
    const before = facts.breaker ?? CALM;
    const call = { outcome, generation, probe, nowMs, random };
    const next = recordCall(breaker, { state: before, counts }, call);
    facts.counts = next.counts;
    // What cannot move it is not told: a call that succeeds as ever costs no look at its breaker.
    const matters = probe || next.state !== before || next.pauseKeyMs !== null;
    const told = { terms: breaker, counts, generation, probe, hintMs, chance };
    return { ...returned, call: matters ? told : null };
  }
}

function isCalm({ ratio }: BreakerDeclared, counts: BreakerCounts): boolean {
  return ratio === null && counts.failuresInARow === 0 && counts.authInARow === 0;
}

interface ReturnFacts {
  readonly ended: EndedCall;
  readonly nowMs: number;
  /** What the other side said is about this one. */
  readonly isMeant: boolean;
}

function outcomeOf({ declaration: { hooks } }: BoundUse, ended: EndedCall): CallOutcome {
  if (ended.kind !== "failed") return ended.kind === "succeeded" ? "success" : "cancelled";
  return breakerOutcome(ended.failure, hooks.exclude);
}

/** How long the other side asked for a pause; null: it did not, or for so long that only its caller waits. */
function findPauseMs(ended: EndedCall): number | null {
  if (ended.kind !== "failed" || ended.hintMs === null) return null;
  return ended.hintMs > HINT_PAUSE_MS_MAX ? null : ended.hintMs;
}

/**
 * Which resources a server's request to wait, or the rest of its allowance, is about: of those that stand for somebody outside, having a quota or a
 * breaker, the ones with a key, which say who it is, before the others.
 */
function findMeant(uses: readonly BoundUse[], ended: EndedCall): readonly BoundUse[] {
  if (ended.kind !== "failed" || (findPauseMs(ended) ?? ended.resetMs) === null) return [];
  const outside = uses.filter(
    ({ declaration: { terms } }) => terms.quotas.length > 0 || terms.breaker !== null,
  );
  const candidates = outside.length > 0 ? outside : uses;
  const keyed = candidates.filter(({ key }) => key !== null);
  return keyed.length > 0 ? keyed : outside;
}

/** Closed, and never anything else. Its time is of no account. */
const CALM = newBreaker(0);

/** A permit that is held. */
class HeldPermit implements Permit {
  readonly #gate: Gate;
  readonly #request: PermitRequest;
  readonly #permits: readonly PermitGrant[];
  #isHeld: boolean = true;

  constructor(gate: Gate, request: PermitRequest, permits: readonly PermitGrant[]) {
    this.#gate = gate;
    this.#request = request;
    this.#permits = permits;
  }

  release(ended: EndedCall): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#gate.giveBack(this.#request, this.#permits, ended);
  }
}

function hindranceOf(
  { resource, key, declaration }: BoundUse,
  kind: Hindrance["kind"],
  untilMs: number | null,
): Hindrance {
  const label = declaration.terms.name;
  return { kind, resource, key, label, isPause: false, isProbing: false, untilMs };
}

function breakerOf({ key, declaration: { terms } }: BoundUse): BreakerDeclared | null {
  // Keys come from outside: one may be called "constructor".
  const own = key !== null && Object.hasOwn(terms.breakers, key) ? terms.breakers[key] : undefined;
  return own ?? terms.breaker;
}

function failsWhenOpen(use: BoundUse, request: PermitRequest): boolean {
  return (breakerOf(use)?.whenOpen ?? request.whenOpen) === "fail";
}

function firstOf(uses: readonly BoundUse[]): BoundUse {
  const [first] = uses;
  if (first === undefined) throw new RangeError("A request names no resource.");
  return first;
}

/** One text for a key of a resource. */
function nameOf({ resource, key }: Pick<BoundUse, "resource" | "key">): string {
  return key === null ? resource : `${resource}/${key}`;
}
