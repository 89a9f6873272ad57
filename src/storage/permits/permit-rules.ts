// What writes about permits do, the same in every store: who gets one, who goes first, what a breaker makes of a
// call, what a person's order changes. A store gives the keys and keeps the rows.

import type { EventDraft } from "../../model/event.ts";
import type { ResourceTerms } from "../../model/resource.ts";
import {
  admit,
  findResourceOverride,
  keyTerms,
  type Admission,
  type AskedUse,
  type GrantedUse,
  type ResourceState,
} from "../../policy/admission.ts";
import { newBreaker, type BreakerState } from "../../policy/breaker/breaker.ts";
import { resetBreaker, tripBreaker } from "../../policy/breaker/override-breaker.ts";
import { recordCall } from "../../policy/breaker/record-call.ts";
import type {
  PermitAddress,
  PermitResult,
  ReleasePermitsWrite,
  ResourceAddress,
  ResourceTotals,
  ReturnedUse,
  SetResourceWrite,
  TakenUse,
  TakePermitsWrite,
} from "./permit-write.ts";

/** A process lets the head of another one go first that has waited so much longer, ms. */
const TURN_MS = 100;
/** What a process says of its line holds for so long: saying it again would be a commit each time, ms. */
const SAY_MS = 1_000;
/** Silence after which the waiters of a process count no more, ms: three looks. */
export const LINE_SILENT_MS = 3_000;

/** Who waits for a key in one process. */
export interface WaitingLine {
  readonly worker: string;
  readonly waiting: number;
  /** Since when its first one waits, store's clock. */
  readonly sinceMs: number;
  readonly seenAtMs: number;
}

/** One key within a transaction; a store writes back what was changed. */
export interface KeyEntry extends ResourceAddress {
  state: ResourceState;
  totals: ResourceTotals;
  terms: ResourceTerms | null;
  held: number;
  probesHeld: number;
  usedAtMs: number;
  /** Changes go through `setLine`. */
  readonly lines: ReadonlyMap<string, WaitingLine>;
}

/** The keys and permits of a store, within one transaction. */
export interface PermitBook {
  readonly nowMs: number;
  find(address: ResourceAddress): KeyEntry;
  changed(entry: KeyEntry): void;
  /** Null: nobody of that process waits any more. */
  setLine(entry: KeyEntry, worker: string, line: WaitingLine | null): void;
  insert(entry: KeyEntry, permit: NewPermit): void;
  /** Which of these were held; they are not any more. */
  drop(run: number, address: PermitAddress, entry: KeyEntry): boolean;
  /** Frees permits of owners whose lease is over; how many. */
  dropLost(entry: KeyEntry): number;
}

/** A permit to be stored. */
export interface NewPermit extends PermitAddress {
  readonly run: number;
  readonly epoch: number;
  /** Null: no probe. */
  readonly probeUntilMs: number | null;
}

/** A run under its epoch. */
export interface PermitOwner {
  readonly run: number;
  readonly epoch: number;
}

/** Counts of a key that nobody has used. */
export const NO_TOTALS: ResourceTotals = Object.freeze({
  granted: 0,
  succeeded: 0,
  failed: 0,
  throttled: 0,
  consumed: 0,
  lastFailureAtMs: null,
});

/** What a write answers, and what is told of it. */
export interface PermitOutcome {
  readonly result: PermitResult;
  readonly events: readonly EventDraft[];
}

/** Asks for permits. */
export function takePermits(
  book: PermitBook,
  owner: PermitOwner,
  write: TakePermitsWrite,
): PermitOutcome {
  const entries = write.uses.map((use) => book.find(use));
  const asked = write.uses.map((use) => toAsked(book, use));
  const answer = judge(book, entries, asked);
  const rival = answer.granted ? findRival(book, entries, write) : -1;
  if (!answer.granted || rival >= 0) {
    const index = answer.granted ? rival : answer.index;
    noteLines(book, entries, { write, refusedBy: index });
    return { result: heldBack(book, entries, { answer, rival }), events: [] };
  }
  noteLines(book, entries, { write, refusedBy: -1 });
  const events = answer.uses.flatMap((granted, index) =>
    grant(book, owner, { write, index, granted, entry: at(entries, index) }),
  );
  const permits = answer.uses.map(({ probe, generation, state: { breaker } }) => ({
    probe,
    generation,
    breaker,
  }));
  const result = {
    kind: "permitted" as const,
    permits,
    room: answer.room,
    roomBy: answer.roomBy,
    atMs: book.nowMs,
  };
  return { result, events };
}

function toAsked(book: PermitBook, use: TakenUse): AskedUse {
  const key = use.key === "" ? null : use.key;
  const own = book.find(use).state;
  const whole = key === null ? null : book.find({ resource: use.resource, key: "" }).state;
  const override = findResourceOverride(own, whole, book.nowMs);
  return {
    terms: keyTerms(use.terms, key, override),
    costs: use.costs,
    maxWaitMs: use.maxWaitMs,
  };
}

/** A limit that looks reached is counted again without those whose owner is gone. */
function judge(
  book: PermitBook,
  entries: readonly KeyEntry[],
  asked: readonly AskedUse[],
): Admission {
  const answer = admit(asked, entries, book.nowMs);
  if (answer.granted || answer.because !== "limit") return answer;
  return book.dropLost(at(entries, answer.index)) === 0
    ? answer
    : admit(asked, entries, book.nowMs);
}

/** The use for which another process has waited clearly longer; -1: none. */
function findRival(
  book: PermitBook,
  entries: readonly KeyEntry[],
  { worker, uses }: TakePermitsWrite,
): number {
  return uses.findIndex((use, index) => {
    const sinceMs = book.nowMs - use.waitedMs;
    for (const line of at(entries, index).lines.values()) {
      const isThere = line.seenAtMs > book.nowMs - LINE_SILENT_MS;
      if (line.worker !== worker && isThere && line.sinceMs + TURN_MS < sinceMs) return true;
    }
    return false;
  });
}

function heldBack(
  book: PermitBook,
  entries: readonly KeyEntry[],
  { answer, rival }: { readonly answer: Admission; readonly rival: number },
): PermitResult {
  const atMs = book.nowMs;
  if (answer.granted) {
    const terms = at(entries, rival).terms;
    const because = terms?.limit === null ? ("quota" as const) : ("limit" as const);
    const inLine = { untilMs: null, final: false, probing: false };
    const refusal = { granted: false as const, index: rival, because, ...inLine };
    return { kind: "held-back", refusal, inTurn: true, atMs };
  }
  if (answer.final) {
    const entry = at(entries, answer.index);
    entry.totals = { ...entry.totals, throttled: entry.totals.throttled + 1 };
    book.changed(entry);
  }
  return { kind: "held-back", refusal: answer, inTurn: false, atMs };
}

/** Says to other processes how many wait here, and since when; a process in whose line nobody is left has none. */
function noteLines(
  book: PermitBook,
  entries: readonly KeyEntry[],
  { write, refusedBy }: { readonly write: TakePermitsWrite; readonly refusedBy: number },
): void {
  const { nowMs } = book;
  for (const [index, use] of write.uses.entries()) {
    const entry = at(entries, index);
    const known = entry.lines.get(write.worker);
    const waiting = use.waiting + (index === refusedBy ? 1 : 0);
    if (waiting === 0 && known === undefined) continue;
    const sinceMs = index === refusedBy ? nowMs - use.waitedMs : (known?.sinceMs ?? nowMs);
    const line = { worker: write.worker, waiting, sinceMs, seenAtMs: nowMs };
    // The next one in line began to wait after the one that was granted; when, it says as it asks.
    const next = index === refusedBy ? line : { ...line, sinceMs: nowMs };
    if (waiting > 0 && isSaid(known, next, nowMs)) continue;
    book.setLine(entry, write.worker, waiting === 0 ? null : next);
  }
}

/** Near enough to what was said last, and not long ago. */
function isSaid(known: WaitingLine | undefined, next: WaitingLine, nowMs: number): boolean {
  if (known === undefined || known.seenAtMs <= nowMs - SAY_MS) return false;
  return known.sinceMs <= next.sinceMs && next.sinceMs < known.sinceMs + TURN_MS / 2;
}

interface Grant {
  readonly write: TakePermitsWrite;
  readonly index: number;
  readonly granted: GrantedUse;
  readonly entry: KeyEntry;
}

function grant(book: PermitBook, owner: PermitOwner, parts: Grant): readonly EventDraft[] {
  const { write, index, granted, entry } = parts;
  const use = at(write.uses, index);
  const before = entry.state.breaker;
  const { costs, terms } = use;
  const units = terms.quotas.reduce((sum, _quota, place) => sum + (costs?.[place] ?? 1), 0);
  entry.totals = {
    ...entry.totals,
    granted: entry.totals.granted + 1,
    consumed: entry.totals.consumed + units,
  };
  entry.state = granted.state;
  entry.terms = terms;
  entry.usedAtMs = book.nowMs;
  entry.held += 1;
  if (granted.probe) entry.probesHeld += 1;
  book.changed(entry);
  const probeUntilMs = granted.probe ? book.nowMs + use.probeMs : null;
  const { stage, item, slot } = write;
  book.insert(entry, { ...owner, stage, item, slot, probeUntilMs });
  return tellBreaker(entry, before, { actor: "breaker", reason: "its time is over: a probe goes" });
}

/** Gives permits back. */
export function releasePermits(
  book: PermitBook,
  owner: PermitOwner,
  write: ReleasePermitsWrite,
): readonly EventDraft[] {
  return write.uses.flatMap((use) => {
    const entry = book.find(use);
    if (!book.drop(owner.run, write, entry)) return [];
    entry.held = Math.max(0, entry.held - 1);
    if (use.call?.probe === true) entry.probesHeld = Math.max(0, entry.probesHeld - 1);
    entry.usedAtMs = book.nowMs;
    countOutcome(entry, use, book.nowMs);
    book.changed(entry);
    return [...pause(book, entry, use), ...tellCall(book, entry, use)];
  });
}

function countOutcome(entry: KeyEntry, { outcome }: ReturnedUse, nowMs: number): void {
  const { totals } = entry;
  if (outcome === "success") entry.totals = { ...totals, succeeded: totals.succeeded + 1 };
  if (outcome === "failure")
    entry.totals = { ...totals, failed: totals.failed + 1, lastFailureAtMs: nowMs };
}

function tellCall(book: PermitBook, entry: KeyEntry, use: ReturnedUse): readonly EventDraft[] {
  const { call } = use;
  if (call === null) return [];
  const { nowMs } = book;
  const before = entry.state.breaker ?? newBreaker(nowMs);
  const { state, pauseKeyMs } = recordCall(
    call.terms,
    { state: before, counts: call.counts },
    {
      outcome: use.outcome,
      generation: call.generation,
      probe: call.probe,
      nowMs,
      ...(call.hintMs === null ? {} : { hintUntilMs: nowMs + call.hintMs }),
      random: { float: () => call.chance, bytes: (count) => new Uint8Array(count) },
    },
  );
  if (state !== before) entry.state = { ...entry.state, breaker: state };
  const paused = pauseKeyMs === null ? [] : pauseFor(book, entry, pauseKeyMs);
  const reason = state.state === "open" ? "calls failed" : "a probe succeeded";
  return [...paused, ...tellBreaker(entry, before, { actor: "breaker", reason })];
}

function pause(book: PermitBook, entry: KeyEntry, { pauseMs }: ReturnedUse): readonly EventDraft[] {
  return pauseMs === null ? [] : pauseFor(book, entry, pauseMs);
}

function pauseFor(book: PermitBook, entry: KeyEntry, pauseMs: number): readonly EventDraft[] {
  const untilMs = Math.ceil(book.nowMs + pauseMs);
  const before = entry.state.pausedUntilMs ?? 0;
  if (untilMs <= before) return [];
  entry.state = { ...entry.state, pausedUntilMs: untilMs };
  // A pause that is only made longer is no news.
  if (before > book.nowMs) return [];
  const reason = "the other side asked for it, or refused our credentials";
  return [
    { type: "resource.paused", data: { ...nameOf(entry), untilMs, actor: "server", reason } },
  ];
}

/** A person's order. */
export function setResource(book: PermitBook, write: SetResourceWrite): readonly EventDraft[] {
  const entry = book.find(write);
  const { nowMs } = book;
  const { change, actor, reason } = write;
  const before = entry.state.breaker;
  book.changed(entry);
  if (change.kind === "override") {
    const untilMs = change.forMs === null ? null : nowMs + change.forMs;
    const { limit, quotas } = change;
    entry.state = { ...entry.state, override: { limit, quotas, untilMs, actor, reason } };
    const data = {
      ...nameOf(entry),
      ...(limit === null ? {} : { limit }),
      ...(quotas === null ? {} : { quotas: quotas.map(({ rate, perMs }) => ({ rate, perMs })) }),
      ...(untilMs === null ? {} : { untilMs }),
      actor,
      reason,
    };
    return [{ type: "resource.set", data }];
  }
  const known = before ?? newBreaker(nowMs);
  if (change.kind === "trip") {
    const order = { reason, actor, untilMs: nowMs + change.forMs };
    entry.state = { ...entry.state, breaker: tripBreaker(known, order, nowMs) };
    return tellBreaker(entry, before, { actor, reason });
  }
  const isClosed = before === null || (before.state === "closed" && before.override === null);
  const breaker = isClosed ? before : resetBreaker(known, nowMs);
  const { override, pausedUntilMs } = entry.state;
  entry.state = { ...entry.state, breaker, override: null, pausedUntilMs: null };
  const told = tellBreaker(entry, before, { actor, reason });
  if (override === null && (pausedUntilMs ?? 0) <= nowMs) return told;
  return [{ type: "resource.reset", data: { ...nameOf(entry), actor, reason } }, ...told];
}

const BREAKER_EVENTS = {
  open: "breaker.opened",
  half_open: "breaker.half_opened",
  closed: "breaker.closed",
} as const;

/** An event for a real change of state, and for nothing else. */
function tellBreaker(
  entry: KeyEntry,
  before: BreakerState | null,
  { actor, reason }: { readonly actor: string; readonly reason: string },
): readonly EventDraft[] {
  const { breaker } = entry.state;
  const from = before?.state ?? "closed";
  if (breaker === null || breaker.state === from) return [];
  const forced = breaker.override?.untilMs ?? 0;
  const untilMs = breaker.state === "open" ? Math.max(breaker.openUntilMs, forced) : null;
  const data = {
    ...nameOf(entry),
    from,
    to: breaker.state,
    ...(untilMs === null ? {} : { untilMs }),
    actor,
    reason,
  };
  return [{ type: BREAKER_EVENTS[breaker.state], data }];
}

function nameOf({ resource, key }: ResourceAddress): { resource: string; key?: string } {
  return key === "" ? { resource } : { resource, key };
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`There is nothing at ${index}.`);
  return found;
}
