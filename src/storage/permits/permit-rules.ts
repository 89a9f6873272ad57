// What becomes of an attempt's permits, the same in every store: whether it gets them, who goes first, what a breaker
// makes of a call that ended. A store gives the keys and keeps the rows.

import type { ResourceTerms } from "../../model/resource/resource.ts";
import type { EventDraft } from "../../model/event.ts";
import {
  admit,
  findResourceOverride,
  keyTerms,
  tightenQuotas,
  type Admission,
  type AskedUse,
  type GrantedUse,
  type KeyTerms,
} from "../../policy/admission.ts";
import { newBreaker } from "../../policy/breaker/breaker.ts";
import { recordCall } from "../../policy/breaker/record-call.ts";
import type { HeldPermit, KeyEntry, PermitBook, PermitOwner } from "./permit-book.ts";
import { findRival, noteLines, type LinedUse } from "./permit-lines.ts";
import type {
  PermitGrant,
  PermitResult,
  ReleasePermitsWrite,
  ReturnedUse,
  TakenUse,
  TakePermitsWrite,
} from "./permit-write.ts";
import { pauseFor, tellBreaker } from "./resource-news.ts";

/** What a write answers, and what is told of it. */
export interface PermitOutcome {
  readonly result: PermitResult;
  readonly events: readonly EventDraft[];
}

/** One use of a write that is not held yet, with its key and its place in the write. */
interface Wanted extends LinedUse {
  readonly index: number;
}

/** Asks for permits. What is held under this address already stays as it is, and counts against nobody. */
export function takePermits(
  book: PermitBook,
  owner: PermitOwner,
  write: TakePermitsWrite,
): PermitOutcome {
  const entries = write.uses.map((use) => book.find(use));
  let wanted = write.uses.map((use, index): Wanted => ({ use, index, entry: at(entries, index) }));
  const { worker } = write;
  let answer = judge(book, wanted);
  if (!answer.granted) {
    // Only one that asks again holds any, and nearly nobody does.
    const missing = wanted.filter(
      ({ entry }) => book.findHeld(owner.run, write, entry) === undefined,
    );
    if (missing.length < wanted.length) {
      wanted = missing;
      answer = judge(book, wanted);
    }
  }
  if (!answer.granted) {
    // Who is refused for good waits for nothing.
    noteLines(book, wanted, { worker, waitsFor: answer.final ? -1 : answer.index });
    return { result: refuse(book, at(wanted, answer.index), answer), events: [] };
  }
  const rival = findRival(worker, wanted, book.nowMs);
  noteLines(book, wanted, { worker, waitsFor: rival });
  if (rival >= 0) return { result: letGoFirst(book, at(wanted, rival)), events: [] };
  const granted = answer.uses;
  const made = new Map<number, PermitGrant>();
  const events = wanted.flatMap(({ use, index, entry }, place) => {
    const found = at(granted, place);
    const told = grant(book, owner, { write, use, entry, granted: found });
    if (told === null) return [];
    const { probe, generation } = found;
    made.set(index, { probe, generation, breaker: entry.state.breaker });
    return told;
  });
  const permits = entries.map(
    (entry, index) =>
      made.get(index) ??
      toHeldGrant(at(write.uses, index), entry, book.findHeld(owner.run, write, entry)),
  );
  // One that asks again has told nothing of the room there is.
  const room = made.size < entries.length ? 0 : answer.room;
  const { roomBy } = answer;
  const { nowMs: atMs } = book;
  return { result: { kind: "permitted", permits, room, roomBy, atMs, told: null }, events };
}

/** What one who asks again for a permit that it holds is told. */
function toHeldGrant(
  { terms }: TakenUse,
  { state: { breaker } }: KeyEntry,
  held: HeldPermit | undefined,
): PermitGrant {
  const generation = terms.breaker === null ? 0 : (breaker ?? newBreaker(0)).generation;
  return { probe: held?.probe ?? false, generation, breaker };
}

/** What holds for a key now, with what was set by hand. */
function termsOf(book: PermitBook, entry: KeyEntry, declared: ResourceTerms): KeyTerms {
  const key = entry.key === "" ? null : entry.key;
  const whole = key === null ? null : book.find({ resource: entry.resource, key: "" }).state;
  return keyTerms(declared, key, findResourceOverride(entry.state, whole, book.nowMs));
}

function toAsked(book: PermitBook, { use, entry }: Wanted): AskedUse {
  return {
    terms: termsOf(book, entry, use.terms),
    costs: use.costs,
    maxWaitMs: use.maxWaitMs,
  };
}

/** What looks full is counted again without permits whose owner is gone: a limit, and the probes of a breaker. */
function judge(book: PermitBook, wanted: readonly Wanted[]): Admission {
  const asked = wanted.map((one) => toAsked(book, one));
  const entries = wanted.map(({ entry }) => entry);
  for (;;) {
    const answer = admit(asked, entries, book.nowMs);
    if (answer.granted || !(answer.because === "limit" || answer.probing)) return answer;
    const entry = at(entries, answer.index);
    if (book.dropLost(entry) === 0) return answer;
    book.noteRoom(entry);
  }
}

function refuse(
  book: PermitBook,
  { entry, index }: Wanted,
  refusal: Extract<Admission, { readonly granted: false }>,
): PermitResult {
  if (refusal.final) {
    entry.totals = { ...entry.totals, throttled: entry.totals.throttled + 1 };
    book.changed(entry);
  }
  return { kind: "held-back", refusal: { ...refusal, index }, inTurn: false, atMs: book.nowMs };
}

/** Another process has waited for it longer. */
function letGoFirst({ nowMs }: PermitBook, { use, index }: Wanted): PermitResult {
  const because = use.terms.limit === null ? ("quota" as const) : ("limit" as const);
  const inLine = { untilMs: null, final: false, probing: false };
  const refusal = { granted: false as const, index, because, ...inLine };
  return { kind: "held-back", refusal, inTurn: true, atMs: nowMs };
}

interface Grant {
  readonly write: TakePermitsWrite;
  readonly use: TakenUse;
  readonly entry: KeyEntry;
  readonly granted: GrantedUse;
}

function grant(
  book: PermitBook,
  owner: PermitOwner,
  { write, use, entry, granted }: Grant,
): readonly EventDraft[] | null {
  const { stage, item, slot } = write;
  const probeUntilMs = granted.probe ? book.nowMs + use.probeMs : null;
  // One that is held under this address stays as it is, and nothing is debited for it again.
  if (!book.insert(entry, { ...owner, stage, item, slot, probeUntilMs })) return null;
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
    const dropped = book.drop(entry, { run: owner.run, address: write });
    if (dropped === undefined) return [];
    entry.held -= 1;
    if (dropped.isProbing) entry.probesHeld -= 1;
    entry.usedAtMs = book.nowMs;
    countOutcome(entry, use, book.nowMs);
    book.changed(entry);
    book.noteRoom(entry);
    tighten(book, entry, use.resetMs ?? null);
    const paused = use.pauseMs === null ? [] : pauseFor(entry, use.pauseMs, book.nowMs);
    return [...paused, ...tellCall(book, entry, use)];
  });
}

/** By what it was last used with. */
function tighten(book: PermitBook, entry: KeyEntry, resetMs: number | null): void {
  if (resetMs === null || entry.terms === null || entry.terms.quotas.length === 0) return;
  const { nowMs } = book;
  const terms = termsOf(book, entry, entry.terms);
  entry.state = tightenQuotas(terms, entry.state, { resetMs, nowMs });
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
  const paused = pauseKeyMs === null ? [] : pauseFor(entry, pauseKeyMs, nowMs);
  const reason = state.state === "open" ? "calls failed" : "a probe succeeded";
  return [...paused, ...tellBreaker(entry, before, { actor: "breaker", reason })];
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`There is nothing at ${index}.`);
  return found;
}
