import fc from "fast-check";
import { expect, test } from "vitest";
import { FairLines, KEY_WEIGHT_MAX, type Entry } from "./fair-lines.ts";

const yes = (): boolean => true;

/** Lines with waiters named by key and order of joining, as in "a0". */
function linesOf(counts: Readonly<Record<string, number>>, weights: Record<string, number> = {}) {
  const lines = new FairLines<string>();
  for (const [key, count] of Object.entries(counts)) {
    const weight = weights[key];
    for (let at = 0; at < count; at += 1) {
      lines.add(key, `${key}${at}`, { nowMs: at, ...(weight === undefined ? {} : { weight }) });
    }
  }
  return lines;
}

function grant(lines: FairLines<string>, times: number): string[] {
  return Array.from({ length: times }, () => lines.next(yes)?.waiter ?? "-");
}

function waitersOf(entries: Iterable<Entry<string>>): string[] {
  return [...entries].map(({ waiter }) => waiter);
}

test("keys take turns however many wait behind each", () => {
  const lines = linesOf({ a: 1_000, b: 2, c: 3 });
  expect(grant(lines, 8).join(" ")).toBe("a0 b0 c0 a1 b1 c1 a2 c2");
  expect(lines.contending).toBe(1);
});

test("a key of weight 3 goes three times as often as one of weight 1", () => {
  const lines = linesOf({ a: 6, b: 3 }, { a: 3 });
  expect(grant(lines, 9).join(" ")).toBe("a0 a1 a2 b0 a3 a4 a5 b1 b2");
});

test("inside a key priority goes first, and a minute of waiting is worth one of it", () => {
  const lines = new FairLines<string>();
  lines.add("a", "old", { nowMs: 0 });
  lines.add("a", "urgent", { nowMs: 30_000, priority: 1 });
  lines.add("a", "late", { nowMs: 90_000, priority: 1 });
  lines.add("a", "same", { nowMs: 0 });
  expect(grant(lines, 4)).toEqual(["urgent", "old", "same", "late"]);
});

test("a held key costs the others nothing and comes last when it is released", () => {
  const lines = linesOf({ a: 2, b: 2, c: 2 });
  lines.hold("a");
  lines.hold("a");
  expect(lines.isHeld("a")).toBe(true);
  expect(grant(lines, 2)).toEqual(["b0", "c0"]);
  lines.release("a");
  lines.release("a");
  expect(grant(lines, 5)).toEqual(["b1", "c1", "a0", "a1", "-"]);
});

test("a key that is held before anybody waits stays held, and is forgotten once released", () => {
  const lines = new FairLines<string>();
  lines.hold("a");
  lines.add("a", "a0", { nowMs: 0 });
  expect(lines.next(yes)).toBeUndefined();
  lines.release("a");
  expect(grant(lines, 1)).toEqual(["a0"]);
  lines.hold("b");
  lines.release("b");
  lines.release("never held");
  expect(lines.isHeld("b")).toBe(false);
});

test("a held key loses the rest of its turn, so that nobody saves up a burst", () => {
  const lines = linesOf({ a: 6, b: 2 }, { a: 3 });
  expect(grant(lines, 1)).toEqual(["a0"]);
  lines.hold("a");
  lines.release("a");
  expect(grant(lines, 5)).toEqual(["b0", "a1", "a2", "a3", "b1"]);
});

test("a key that is refused loses its turn and is asked once per call", () => {
  const lines = linesOf({ a: 2, b: 2, c: 1 }, { a: 2 });
  const asked: string[] = [];
  const entry = lines.next((key) => {
    asked.push(key);
    return key === "c";
  });
  expect(entry?.waiter).toBe("c0");
  expect(asked).toEqual(["a", "b", "c"]);
  expect(lines.next(() => false)).toBeUndefined();
  expect(lines.visits).toBe(5);
  expect(grant(lines, 4)).toEqual(["a0", "a1", "b0", "b1"]);
});

test("100,000 waiters on held keys, on one or on each, are not looked at by a grant", () => {
  const lines = new FairLines<number>();
  for (let at = 0; at < 50_000; at += 1) {
    lines.hold(`full ${at}`);
    lines.add(`full ${at}`, at, { nowMs: at });
    lines.add("full 0", at, { nowMs: at });
  }
  for (let at = 0; at < 1_000; at += 1) lines.add(`free ${at % 10}`, at, { nowMs: at });
  const before = lines.visits;
  let asked = 0;
  for (let at = 0; at < 1_000; at += 1) {
    const entry = lines.next(() => {
      asked += 1;
      return true;
    });
    if (entry?.waiter !== at) expect(entry?.waiter).toBe(at);
  }
  expect(asked).toBe(1_000);
  expect(lines.visits - before).toBe(1_000);
  expect(lines.next(yes)).toBeUndefined();
  expect(lines.visits - before).toBe(1_000);
  expect(lines.size).toBe(100_000);
});

test("who changes its line keeps its place by the time and number it brings along", () => {
  const lines = new FairLines<string>();
  const first = lines.add("a", "first", { nowMs: 5, priority: 1 });
  lines.add("b", "second", { nowMs: 5, priority: 1 });
  lines.remove(first);
  lines.add("b", "first", { nowMs: first.orderMs, number: first.number });
  expect(grant(lines, 2)).toEqual(["first", "second"]);
});

test("the question may take heads away and hold keys: the next head of the same key is asked", () => {
  const lines = linesOf({ a: 3, b: 1 });
  lines.hold("full");
  const asked: string[] = [];
  const entry = lines.next((key, waiter) => {
    asked.push(waiter);
    const [head] = lines.entriesOf(key);
    if (waiter === "a2") lines.hold(key);
    else if (key === "a" && head !== undefined) {
      lines.add("full", waiter, { nowMs: head.orderMs, number: head.number });
      lines.remove(head);
    }
    return key === "b";
  });
  expect(asked).toEqual(["a0", "a1", "a2", "b0"]);
  expect(entry?.waiter).toBe("b0");
  expect(waitersOf(lines.entriesOf("full"))).toEqual(["a0", "a1"]);
  expect(waitersOf(lines.entriesOf("a"))).toEqual(["a2"]);
  expect([lines.contending, lines.size]).toEqual([0, 3]);
});

test("a key that is held by the grant of its own head leaves the round with the turn unspent", () => {
  const lines = linesOf({ a: 4, b: 2 }, { a: 2 });
  const entry = lines.next((key) => {
    lines.hold(key);
    return true;
  });
  expect(entry?.waiter).toBe("a0");
  lines.release("a");
  expect(grant(lines, 4)).toEqual(["b0", "a1", "a2", "b1"]);
});

test("people can ask for the place of a waiter and for all in order", () => {
  const lines = linesOf({ a: 2, b: 2 });
  const urgent = lines.add("a", "urgent", { nowMs: 0, priority: 5 });
  const [, second] = lines.entriesOf("a");
  expect(lines.position(urgent)).toBe(1);
  expect(second && lines.position(second)).toBe(2);
  expect([lines.waiting("a"), lines.waiting("b"), lines.waiting("none")]).toEqual([3, 2, 0]);
  lines.hold("a");
  expect(waitersOf(lines)).toEqual(["b0", "b1", "urgent", "a0", "a1"]);
  expect(lines.remove(urgent)).toBe(true);
  expect([lines.position(urgent), lines.entriesOf("none")]).toEqual([0, []]);
  for (const entry of lines.entriesOf("a")) lines.remove(entry);
  lines.release("a");
  expect([lines.position(urgent), lines.size]).toEqual([0, 2]);
});

test("who joins at no time at all is refused, and leaves no trace", () => {
  const lines = linesOf({ a: 1 });
  expect(() => lines.add("a", "b", { nowMs: Number.NaN })).toThrow('line of "a" at no time');
  expect([lines.size, ...grant(lines, 2)]).toEqual([1, "a0", "-"]);
});

test("a weight that is no whole number from 1 to 1,000 is refused", () => {
  for (const weight of [0, -1, 1.5, Number.NaN, KEY_WEIGHT_MAX + 1]) {
    const lines = new FairLines<string>();
    expect(() => lines.add("a", "a0", { nowMs: 0, weight })).toThrow(`"a" is "${weight}"`);
    expect([lines.size, lines.contending, grant(lines, 1)[0]]).toEqual([0, 0, "-"]);
  }
});

test("an entry that left says so, and asking its place or leaving again harms nobody", () => {
  const lines = linesOf({ a: 1 });
  const [entry] = lines.entriesOf("a");
  if (entry === undefined) throw new Error("nobody waits");
  expect(lines.next(yes)).toBe(entry);
  expect([entry.isWaiting, lines.remove(entry), lines.position(entry)]).toEqual([false, false, 0]);
  expect(() =>
    lines.next(() => {
      lines.remove(lines.add("b", "b0", { nowMs: 0 }));
      return true;
    }),
  ).not.toThrow();
});

/** One key of the naive model: its waiters, sorted. */
interface ModelLine {
  readonly key: string;
  readonly entries: Entry<number>[];
  weight: number;
  credit: number;
}

/** The same rules over sorted arrays, with a scan wherever the real thing has none. */
class Model {
  round: ModelLine[] = [];
  readonly held: Map<string, ModelLine | undefined> = new Map();

  add(entry: Entry<number>, weight?: number): void {
    const known = this.round.find(({ key }) => key === entry.key) ?? this.held.get(entry.key);
    const line = known ?? { key: entry.key, entries: [], weight: 1, credit: 0 };
    if (weight !== undefined) line.weight = weight;
    line.entries.push(entry);
    line.entries.sort((a, b) => a.orderMs - b.orderMs || a.number - b.number);
    if (known !== undefined) return;
    if (this.held.has(entry.key)) this.held.set(entry.key, line);
    else this.round.push(line);
  }

  remove(entry: Entry<number>): boolean {
    const lines = [...this.round, ...this.held.values()];
    const line = lines.find((each) => each?.entries.includes(entry));
    line?.entries.splice(line.entries.indexOf(entry), 1);
    this.round = this.round.filter(({ entries }) => entries.length > 0);
    for (const [key, each] of this.held) {
      if (each?.entries.length === 0) this.held.set(key, undefined);
    }
    return line !== undefined;
  }

  hold(key: string): void {
    if (this.held.has(key)) return;
    const line = this.round.find((each) => each.key === key);
    if (line !== undefined) line.credit = 0;
    this.round = this.round.filter((each) => each !== line);
    this.held.set(key, line);
  }

  release(key: string): void {
    const line = this.held.get(key);
    this.held.delete(key);
    if (line !== undefined) this.round.push(line);
  }

  next(refused: string): Entry<number> | undefined {
    for (let left = this.round.length; left > 0; left -= 1) {
      const line = this.round[0];
      if (line === undefined) return undefined;
      if (line.key !== refused) return this.grant(line);
      line.credit = 0;
      this.round.push(...this.round.splice(0, 1));
    }
    return undefined;
  }

  grant(line: ModelLine): Entry<number> | undefined {
    const entry = line.entries[0];
    line.credit = (line.credit === 0 ? line.weight : line.credit) - 1;
    if (line.credit === 0) this.round.push(...this.round.splice(0, 1));
    if (entry !== undefined) this.remove(entry);
    return entry;
  }
}

const KEYS = ["a", "b", "c", "d", "e"];
const command = fc.record({
  kind: fc.constantFrom("add", "add", "add", "next", "next", "remove", "hold", "release"),
  key: fc.nat(KEYS.length - 1),
  number: fc.nat(99),
  priority: fc.integer({ min: -1, max: 2 }),
});

test("lines do what sorted arrays do, for any sequence of moves", () => {
  const check = fc.property(fc.array(command, { maxLength: 150, size: "max" }), (commands) => {
    const lines = new FairLines<number>();
    const model = new Model();
    const everyone: Entry<number>[] = [];
    let nowMs = 0;
    for (const { kind, key: index, number, priority } of commands) {
      const key = KEYS[index] ?? "a";
      const weight = 1 + (number % 4);
      const chosen = everyone[number % Math.max(1, everyone.length)];
      nowMs += number * 1_000;
      if (kind === "add") {
        const entry = lines.add(key, everyone.length, { nowMs, priority, weight });
        everyone.push(entry);
        model.add(entry, weight);
      } else if (kind === "next") {
        expect(lines.next((each) => each !== key)).toBe(model.next(key));
      } else if (kind === "hold" || kind === "release") {
        lines[kind](key);
        model[kind](key);
      } else if (kind === "remove" && chosen !== undefined) {
        expect(lines.remove(chosen)).toBe(model.remove(chosen));
      }
    }
    const rest = [...model.round, ...model.held.values()].flatMap((line) => line?.entries ?? []);
    expect(new Set(lines)).toEqual(new Set(rest));
    expect(lines.size).toBe(rest.length);
  });
  fc.assert(check, { numRuns: 200 });
});

test("with K contending keys of equal weight the head of each is granted within K grants", () => {
  const shape = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
    fc.array(fc.record({ at: fc.nat(11), priority: fc.integer({ min: 0, max: 1_000 }) })),
  );
  const check = fc.property(shape, ([counts, arrivals]) => {
    const lines = new FairLines<string>();
    for (const [at, count] of counts.entries()) {
      for (let n = 0; n < count; n += 1) lines.add(`k${at}`, `k${at}`, { nowMs: n });
    }
    const waited = new Map<string, number>();
    for (let grants = 0; lines.size > 0; grants += 1) {
      const contending = new Set([...lines].map(({ key }) => key));
      const key = lines.next(yes)?.key ?? "";
      for (const each of contending) waited.set(each, (waited.get(each) ?? 0) + 1);
      expect(waited.get(key)).toBeLessThanOrEqual(counts.length);
      waited.delete(key);
      // Whoever comes meanwhile to a known key, however urgent, delays no other key.
      const next = arrivals[grants];
      if (next === undefined) continue;
      lines.add(`k${next.at % counts.length}`, "new", { nowMs: 99, priority: next.priority });
    }
  });
  fc.assert(check, { numRuns: 100 });
});
