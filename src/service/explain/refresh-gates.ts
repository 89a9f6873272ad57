// Why something waits for a resource now: the rows of the store, judged by the policy that decides who is let in.

import type { Blocker } from "../../model/blocker.ts";
import type { GateBlocker } from "../../model/resource/gate-wait.ts";
import {
  admit,
  findResourceOverride,
  keyTerms,
  NEW_RESOURCE_STATE,
  type AdmissionRefusal,
} from "../../policy/admission.ts";
import type { PermitRecord } from "../../storage/permits/permit-write.ts";
import type { Store } from "../../storage/store.ts";
import { findGate, gateFields } from "../views/gate-blocker.ts";
import { runName } from "../queries/find-run.ts";
import { sayAhead, sayGate, sayWaiting, type GateFacts } from "./gate-words.ts";

/** Holders that a blocker names. */
const HOLDERS_MAX = 10;
/** Holders among which probes are looked for: they may have come last. */
const LOOKED_MAX = 100;

/** Whom an answer is about: what waits itself, or many of which each waits for something. */
type Scope = "one" | "many";

/** The same blockers, those that are waits for resources as these stand now, each once. */
export async function refreshGates(
  store: Store,
  blockers: readonly Blocker[],
  scope: Scope = "one",
): Promise<readonly Blocker[]> {
  const fresh = new Map<string, Blocker>();
  for (const [index, blocker] of blockers.entries()) {
    const found = await refreshGate(store, blocker, scope);
    // What waited for different things of one resource may wait for the same by now.
    const isGate = findGate(found) !== undefined;
    const name = isGate ? `${found.kind} ${found.name}` : String(index);
    const known = fresh.get(name);
    if (known === undefined || (found.ahead ?? 0) < (known.ahead ?? 0)) fresh.set(name, found);
  }
  return [...fresh.values()];
}

async function refreshGate(store: Store, blocker: Blocker, scope: Scope): Promise<Blocker> {
  const gate = findGate(blocker);
  if (gate === undefined) return blocker;
  const { resource, key } = gate;
  const address = { resource, key: key ?? "" };
  const record = await store.findResource(address);
  if (record === undefined || record.terms === null) return blocker;
  const whole = key === null ? undefined : await store.findResource({ resource, key: "" });
  const permits = await store.listHolders(address, LOOKED_MAX);
  const nowMs = store.nowMs();
  const override = findResourceOverride(record.state, whole?.state ?? NEW_RESOURCE_STATE, nowMs);
  const terms = keyTerms(record.terms, key, override);
  const probes = permits.filter(({ probe }) => probe);
  const { state, held } = record;
  const view = { state, held, probesHeld: probes.length };
  const asked = admit([{ terms, costs: null, maxWaitMs: null }], [view], nowMs);
  const refusal = asked.granted ? null : asked;
  const shown = refusal?.probing === true ? probes : permits;
  const holders = await nameHolders(store, shown.slice(0, HOLDERS_MAX));
  const declared = override?.quotas ?? record.terms.quotas;
  const facts = { gate, record, terms, declared, probes: probes.length, refusal, nowMs };
  return toBlocker(blocker, facts, { holders, scope });
}

function toBlocker(
  before: Blocker,
  facts: GateFacts,
  { holders, scope }: { readonly holders: readonly string[]; readonly scope: Scope },
): Blocker {
  const { gate, record, refusal } = facts;
  const { sinceMs } = before;
  // A budget is counted by each process for itself: its row alone knows when there may be room.
  if (gate.kind === "budget") return { ...before, text: sayGate(facts, "") };
  const kind = toKind(gate, refusal);
  // Who was ahead may have gone; nobody comes before who was there.
  const others = Math.max(0, record.waiting - 1);
  const ahead = before.ahead === undefined ? undefined : Math.min(before.ahead, others);
  const expected = expectedOf(facts, { ahead, others });
  const hasHolders = holders.length > 0 && (kind === "limit" || refusal?.probing === true);
  return {
    ...gateFields({ ...gate, kind }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(ahead === undefined ? {} : { ahead }),
    ...(hasHolders ? { holders } : {}),
    ...expected,
    text: sayGate(facts, scope === "one" ? sayAhead(ahead ?? 0) : sayWaiting(facts)),
  };
}

function toKind(gate: GateBlocker, refusal: AdmissionRefusal | null): GateBlocker["kind"] {
  if (refusal === null) return gate.kind;
  return refusal.because === "pause" ? "quota" : refusal.because;
}

interface Others {
  readonly ahead: number | undefined;
  /** Who else waits, over all processes. */
  readonly others: number;
}

/** When it may clear: the time that the policy names, and a unit for each of those ahead. */
function expectedOf(
  { terms, refusal }: GateFacts,
  { ahead, others }: Others,
): Pick<Blocker, "expectedAtMs" | "basis"> {
  const untilMs = refusal?.untilMs ?? null;
  if (untilMs === null) return { basis: "unknown" };
  const before = ahead ?? others;
  const slowest = Math.max(0, ...terms.quotas.map(({ intervalUs }) => intervalUs / 1_000));
  const isShared = before > 0 || refusal?.because === "breaker";
  return {
    expectedAtMs: Math.ceil(untilMs + (refusal?.because === "quota" ? before * slowest : 0)),
    basis: isShared ? "estimate" : "exact",
  };
}

async function nameHolders(
  store: Store,
  permits: readonly PermitRecord[],
): Promise<readonly string[]> {
  const names = new Map<string, string>();
  const holders: string[] = [];
  for (const { runId, stage, item } of permits) {
    let name = names.get(runId);
    if (name === undefined) {
      const run = await store.findRun(runId);
      name = run === undefined ? runId : runName(run);
      names.set(runId, name);
    }
    holders.push(item === null ? `${name}/${stage}` : `${name}/${stage}/${item}`);
  }
  return holders;
}
