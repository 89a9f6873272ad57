// What is said of a resource for which something waits: sentences for a tired operator, and what to type next.

import type { Blocker } from "../../model/blocker.ts";
import { nameGate, type GateBlocker } from "../../model/resource/gate-wait.ts";
import type { QuotaDeclared } from "../../model/resource/resource.ts";
import type { AdmissionRefusal, KeyTerms } from "../../policy/admission.ts";
import { askBreaker, newBreaker } from "../../policy/breaker/breaker.ts";
import { quotaAvailable } from "../../policy/quota.ts";
import { formatDuration } from "../../std/duration.ts";
import { findGate } from "../views/gate-blocker.ts";
import { toIso } from "../views/time-view.ts";
import type { ResourceRecord } from "../../storage/permits/permit-write.ts";

/** What is known of a gate at one moment. */
export interface GateFacts {
  readonly gate: GateBlocker;
  readonly record: ResourceRecord;
  /** As they hold now. */
  readonly terms: KeyTerms;
  /** Its quotas as people wrote them. */
  readonly declared: readonly QuotaDeclared[];
  /** Probes that are out. */
  readonly probes: number;
  /** Null: it would be let in, if it were its turn. */
  readonly refusal: AdmissionRefusal | null;
  readonly nowMs: number;
}

/** The whole reason in one sentence. `line`: what is said of those who wait, `sayAhead` or `sayWaiting`. */
export function sayGate(facts: GateFacts, line: string): string {
  const { gate, refusal } = facts;
  const name = `"${nameGate(gate)}"`;
  if (gate.kind === "budget")
    return `the retry budget of resource ${name} is used up: its retries are held to a share of its first tries`;
  if (refusal === null) return `resource ${name} has room now, and its turn comes${line}`;
  switch (refusal.because) {
    case "pause":
      return `the other side of resource ${name} asked for a pause until ${toIso(refusal.untilMs ?? 0)}${line}`;
    case "limit":
      return `${facts.record.held} of ${facts.terms.limit ?? 0} permits of resource ${name} are held${line}`;
    case "quota":
      return `the quota of resource ${name}${sayQuota(facts)}${line}`;
    case "breaker":
      return sayBreaker(facts, name) + line;
  }
}

/** How many go before the one that is asked about. */
export function sayAhead(ahead: number): string {
  return ahead === 0 ? "" : `; ${ahead.toLocaleString("en-US")} ahead of it`;
}

/** How many wait, over all processes. */
export function sayWaiting({ record }: GateFacts): string {
  return record.waiting < 2 ? "" : `; ${record.waiting.toLocaleString("en-US")} wait for it`;
}

function sayQuota({ record, terms, declared, refusal, nowMs }: GateFacts): string {
  const at = refusal?.untilMs ?? nowMs;
  const told = declared
    .filter((_quota, index) => {
      const quota = terms.quotas[index];
      const state = record.state.quotas[index];
      return quota !== undefined && quotaAvailable(quota, state, nowMs * 1_000) < 1;
    })
    .map(({ rate, perMs }) => `${rate} per ${formatDuration(perMs)}`)
    .join(" and ");
  const next = `the next unit comes at ${toIso(at)}`;
  return told === "" ? ` has too little left; ${next}` : `, ${told}, has nothing left; ${next}`;
}

function sayBreaker({ record, terms, probes: probesHeld, nowMs }: GateFacts, name: string): string {
  const { breaker } = terms;
  const state = record.state.breaker ?? newBreaker(nowMs);
  const answer = breaker === null ? null : askBreaker(breaker, state, { nowMs, probesHeld });
  const until = answer?.pass === false && answer.untilMs !== null ? toIso(answer.untilMs) : "";
  const because = answer?.pass === false ? answer.because : "open";
  switch (because) {
    case "probing":
      return `the breaker of resource ${name} is half open: a probe is running, and its result decides`;
    case "ramp":
      return `the breaker of resource ${name} was closed a moment ago and lets few calls go; more from ${until}`;
    case "forced": {
      const by =
        state.override === null ? "" : ` by ${state.override.actor}: "${state.override.reason}"`;
      return `the breaker of resource ${name} is held open by hand until ${until}${by}`;
    }
    case "open": {
      const { lastFailureAtMs } = record.totals;
      const last = lastFailureAtMs === null ? "" : `; last at ${toIso(lastFailureAtMs)}`;
      const opening = state.openings > 1 ? `, opening ${state.openings}` : "";
      return `the breaker of resource ${name} is open until ${until}${opening}: ${sayWhyOpen(breaker?.threshold)}${last}`;
    }
  }
}

function sayWhyOpen(threshold: number | undefined): string {
  return threshold === undefined ? "calls failed" : `calls failed (${threshold} in a row open it)`;
}

/** What to type about a gate. */
function sayGateNext(gate: GateBlocker): readonly string[] {
  const name = quote(nameGate(gate));
  const shows = `says more: npx millrace resources list ${name}`;
  if (gate.kind === "breaker")
    return [shows, `closes it now: npx millrace resources reset ${name}`];
  return [shows];
}

/** Keys come from outside: what a shell would not take as one word is quoted. */
function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What to type about the resources that stand in the way. */
export function sayGatesNext(blockers: readonly Blocker[]): readonly string[] {
  const gates = blockers.map(findGate).filter((gate) => gate !== undefined);
  return gates.slice(0, GATES_TOLD_MAX).flatMap(sayGateNext);
}

const GATES_TOLD_MAX = 3;
