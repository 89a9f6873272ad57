import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedLimiter } from "./keyed-limiter.ts";
import type { Permit, Ticket } from "./permit.ts";
import { goesBefore, orderMsOf } from "./waiting-line.ts";

const KEYS = ["a", "b", "c", "d"] as const;

/** What was asked for, and what came of it. */
interface Asked {
  readonly keys: readonly string[];
  readonly orderMs: number;
  readonly number: number;
  ticket: Ticket | undefined;
  permit: Permit | undefined;
}

function sameKeys(left: Asked, right: Asked): boolean {
  return left.keys.toSorted().join() === right.keys.toSorted().join();
}

/** Who runs and who waits, in plain lists, and all that must be true of them. */
class Book {
  readonly limits: Map<string, number>;
  readonly slots: number;
  running: Asked[] = [];
  waiting: Asked[] = [];
  minted: number = 0;
  released: number = 0;

  constructor(limits: readonly number[], slots: number) {
    this.limits = new Map(KEYS.map((key, at) => [key, limits[at] ?? 1]));
    this.slots = slots;
  }

  holders(key: string): number {
    return this.running.filter(({ keys }) => keys.includes(key)).length;
  }

  canGo({ keys }: Pick<Asked, "keys">): boolean {
    const hasRoom = (key: string): boolean => this.holders(key) < (this.limits.get(key) ?? 0);
    return this.running.length < this.slots && keys.every(hasRoom);
  }

  start(asked: Asked, permit: Permit): void {
    expect(asked.permit).toBeUndefined();
    asked.permit = permit;
    this.minted += 1;
    this.waiting = this.waiting.filter((other) => other !== asked);
    const overtaken = this.waiting.filter((other) => sameKeys(other, asked));
    for (const other of overtaken) expect(goesBefore(asked, other)).toBe(true);
    this.running.push(asked);
  }

  end(asked: Asked): void {
    this.released += 1;
    this.running = this.running.filter((other) => other !== asked);
  }
}

const command = fc.record({
  kind: fc.constantFrom("ask", "ask", "ask", "try", "end", "end", "leave", "limit", "twice"),
  keys: fc.shuffledSubarray([...KEYS], { minLength: 1, maxLength: 3 }),
  pick: fc.nat(99),
  priority: fc.integer({ min: -1, max: 2 }),
  limit: fc.integer({ min: 1, max: 4 }),
});
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

const start = fc.record({
  limits: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
  slots: fc.constantFrom(1, 2, 3, 1_000),
  commands: fc.array(command, { maxLength: 120, size: "max" }),
});

/** One limiter and its book, changed together. */
class Trial {
  readonly book: Book;
  readonly limiter: KeyedLimiter;
  #nowMs: number = 0;
  #asked: number = 0;

  constructor(limits: readonly number[], slots: number) {
    this.book = new Book(limits, slots);
    this.limiter = new KeyedLimiter({
      limits: { keys: Object.fromEntries(this.book.limits) },
      slots,
    });
  }

  make({ kind, keys, pick, priority, limit }: Command): void {
    this.#nowMs += pick * 1_000;
    const { running, waiting } = this.book;
    if (kind === "ask") this.ask(keys, priority);
    else if (kind === "try") this.try(keys);
    else if (kind === "leave") this.leave(waiting[pick % Math.max(1, waiting.length)]);
    else if (kind === "limit") this.limit(keys[0] ?? "a", limit);
    else this.end(running[pick % Math.max(1, running.length)], kind === "twice");
  }

  ask(keys: readonly string[], priority: number): void {
    const orderMs = orderMsOf(this.#nowMs, priority);
    this.#asked += 1;
    const asked: Asked = {
      keys,
      orderMs,
      number: this.#asked,
      ticket: undefined,
      permit: undefined,
    };
    const couldGo = this.book.canGo(asked);
    const answer = this.limiter.acquire(
      keys.map((key) => ({ key })),
      { nowMs: this.#nowMs, priority, wake: (permit) => this.book.start(asked, permit) },
    );
    expect(answer.kind).toBe(couldGo ? "permit" : "waiting");
    if (answer.kind === "permit") this.book.start(asked, answer);
    else {
      asked.ticket = answer;
      this.book.waiting.push(asked);
    }
  }

  try(keys: readonly string[]): void {
    const asked: Asked = { keys, orderMs: 0, number: 0, ticket: undefined, permit: undefined };
    const couldGo = this.book.canGo(asked);
    const answer = this.limiter.tryTake(keys.map((key) => ({ key })));
    expect(answer.kind).toBe(couldGo ? "permit" : "refused");
    if (answer.kind === "refused") {
      const full = keys.find((key) => this.book.holders(key) >= (this.book.limits.get(key) ?? 0));
      expect(answer.key).toBe(full ?? null);
      return;
    }
    this.book.running.push({ ...asked, permit: answer });
    this.book.minted += 1;
  }

  end(asked: Asked | undefined, twice: boolean): void {
    const permit = asked?.permit;
    if (asked === undefined || permit === undefined) return;
    this.book.end(asked);
    this.limiter.release(permit);
    if (twice) expect(() => this.limiter.release(permit)).toThrow("nobody holds it");
  }

  leave(asked: Asked | undefined): void {
    const ticket = asked?.ticket;
    if (asked === undefined || ticket === undefined) return;
    this.book.waiting = this.book.waiting.filter((other) => other !== asked);
    expect(this.limiter.leave(ticket)).toBe(true);
    expect(this.limiter.leave(ticket)).toBe(false);
  }

  limit(key: string, limit: number): void {
    this.book.limits.set(key, limit);
    this.limiter.setLimit(key, limit);
  }

  check(before: ReadonlyMap<string, number>): void {
    const { book, limiter } = this;
    expect(limiter.held).toBe(book.running.length);
    expect(book.minted - book.released).toBe(limiter.held);
    expect(limiter.waiting).toBe(book.waiting.length);
    expect(limiter.held).toBeLessThanOrEqual(book.slots);
    // Whoever could go has gone: nothing lies idle while somebody waits for it.
    expect(book.waiting.filter((asked) => book.canGo(asked))).toEqual([]);
    const stats = KEYS.map((key) => limiter.stats(key));
    for (const [at, key] of KEYS.entries()) {
      const running = stats[at]?.running ?? 0;
      expect(running).toBe(book.holders(key));
      // More than the limit only where it was lowered, and then none is added.
      const most = Math.max(book.limits.get(key) ?? 0, before.get(key) ?? 0);
      expect(running).toBeLessThanOrEqual(most);
    }
    expect(stats.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(book.waiting.length);
  }

  figures(): Map<string, number> {
    return new Map(KEYS.map((key) => [key, this.book.holders(key)]));
  }
}

test("limits hold, permits balance, nothing lies idle and nobody is overtaken, for any calls", () => {
  const check = fc.property(start, ({ limits, slots, commands }) => {
    const trial = new Trial(limits, slots);
    for (const each of commands) {
      const before = trial.figures();
      trial.make(each);
      trial.check(before);
    }
    // With everything given back, all who wait get their turn.
    while (trial.book.running.length > 0) trial.end(trial.book.running[0], false);
    expect([trial.limiter.held, trial.limiter.waiting]).toEqual([0, 0]);
    expect(KEYS.map((key) => trial.limiter.stats(key).waiting)).toEqual([0, 0, 0, 0]);
  });
  fc.assert(check, { numRuns: 60 });
});

test("a key grants in the order of a sorted array", () => {
  const waiter = fc.record({ nowMs: fc.nat(300_000), priority: fc.integer({ min: -3, max: 3 }) });
  const waiters = fc.array(waiter, { maxLength: 60, size: "max" });
  const check = fc.property(waiters, fc.array(fc.nat(59)), (asked, leaving) => {
    const limiter = new KeyedLimiter({ limits: { default: 1 } });
    const permits: Permit[] = [];
    const started: number[] = [];
    const first = limiter.tryTake([{ key: "a" }]);
    if (first.kind === "permit") permits.push(first);
    const tickets = asked.map(({ nowMs, priority }, number) =>
      limiter.acquire([{ key: "a" }], {
        nowMs,
        priority,
        wake: (permit) => {
          started.push(number);
          permits.push(permit);
        },
      }),
    );
    for (const at of leaving) {
      const ticket = tickets[at];
      if (ticket?.kind === "waiting") limiter.leave(ticket);
    }
    for (const permit of permits) limiter.release(permit);
    const model = asked
      .map(({ nowMs, priority }, number) => ({ orderMs: nowMs - 60_000 * priority, number }))
      .filter(({ number }) => !leaving.includes(number))
      .toSorted((left, right) => left.orderMs - right.orderMs || left.number - right.number);
    expect(started).toEqual(model.map(({ number }) => number));
  });
  fc.assert(check, { numRuns: 200 });
});

test("of K keys that contend for slots the head of each starts within K grants, however urgent others are", () => {
  const counts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 8 });
  const check = fc.property(counts, fc.integer({ min: 1, max: 3 }), (lengths, slots) => {
    const limiter = new KeyedLimiter({ slots });
    const permits: Permit[] = [];
    const started: string[] = [];
    for (let at = 0; at < slots; at += 1) {
      const permit = limiter.tryTake([{ key: "first" }]);
      if (permit.kind === "permit") permits.push(permit);
    }
    const ask = (key: string, priority: number): void => {
      const wake = (permit: Permit): void => {
        started.push(key);
        permits.push(permit);
      };
      limiter.acquire([{ key }], { nowMs: 0, priority, wake });
    };
    for (const [at, length] of lengths.entries()) {
      for (let n = 0; n < length; n += 1) ask(`k${at}`, 0);
    }
    const waited = new Map<string, number>();
    for (const permit of permits) {
      const contending = lengths
        .map((_, at) => `k${at}`)
        .filter((key) => limiter.stats(key).waiting > 0);
      const known = started.length;
      limiter.release(permit);
      for (const key of contending) waited.set(key, (waited.get(key) ?? 0) + 1);
      for (const key of started.slice(known)) {
        expect(waited.get(key)).toBeLessThanOrEqual(lengths.length);
        waited.delete(key);
      }
      if (started.length < 40) ask("k0", 1_000);
    }
    expect([limiter.waiting, limiter.held]).toEqual([0, 0]);
  });
  fc.assert(check, { numRuns: 100 });
});
