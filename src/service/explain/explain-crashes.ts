// What `why` says of crashes: what is suspected of them, what runs apart from the worker for it, and what to do with
// what is poison.

import type { CrashRecord } from "../../model/checkpoint.ts";
import type { Failure } from "../../model/outcome.ts";
import { isRunOver } from "../../model/run.ts";
import { decideIsolation } from "../../policy/crashes.ts";
import type { Store } from "../../storage/store.ts";
import type { RunFacts } from "../queries/run-facts.ts";

const TOLD_MAX = 5;

/** Lines about the crashes of a run; none for nearly every run. */
export async function sayCrashes(store: Store, facts: RunFacts): Promise<readonly string[]> {
  const { run, name } = facts;
  if (run.crashes === 0) return [];
  const crashes = await store.listCrashes(run.id);
  const told = crashes.filter(({ stage }) => stage !== null).slice(0, TOLD_MAX);
  const lines = told.map((one) => `${name}/${pathOf(one)} ${sayCount(one)}`);
  if (isRunOver(run.state)) return [...lines, ...sayPoisonNext(run.failure)];
  return [...lines, ...(await sayIsolation(store, facts, crashes))];
}

function pathOf({ stage, item }: CrashRecord): string {
  return item === null ? (stage ?? "") : `${stage ?? ""}/${item}`;
}

function sayCount({ crashes, isolated, reason }: CrashRecord): string {
  const times = crashes === 1 ? "once" : `${crashes} times`;
  const apart = isolated === 0 ? "" : `, ${isolated} of them with nothing else running`;
  return `crashed ${times}${apart}; the last one: ${reason}`;
}

async function sayIsolation(
  store: Store,
  { run }: RunFacts,
  crashes: readonly CrashRecord[],
): Promise<readonly string[]> {
  const { stages, items } = await store.loadCheckpoints(run.id);
  const plan = decideIsolation(run, { stages, items, crashes });
  if (plan === null) return [];
  const verb = run.state === "running" ? "runs" : "runs next";
  if (plan.kind === "suspects") {
    const [first] = plan.suspects;
    const more = plan.suspects.length - 1;
    const who = first === undefined ? "" : pathOf(first);
    const others = more === 0 ? "" : ` and ${more} more`;
    return [`isolated, apart from its worker and one at a time, ${verb} first: ${who}${others}`];
  }
  return [
    `isolated, apart from its worker and one at a time, ${verb} all that is left: nobody knows what crashed`,
  ];
}

/** What to do with what is poison. */
function sayPoisonNext(failure: Failure | null): readonly string[] {
  if (failure?.class !== "poison") return [];
  return ["tries it again once its cause is mended, counts at 0: npx millrace queue retry-failed"];
}

/** The line about one stage or item. */
export async function sayCrashesOf(
  store: Store,
  { run }: RunFacts,
  of: { readonly stage: string; readonly item: string | null },
): Promise<readonly string[]> {
  if (run.crashes === 0) return [];
  const crashes = await store.listCrashes(run.id);
  const found = crashes.find(({ stage, item }) => stage === of.stage && item === of.item);
  return found === undefined ? [] : [sayCount(found)];
}

/** How something failed that is poison; undefined for any other failure. */
export function sayPoison(failure: Failure | null): string | undefined {
  return failure?.class === "poison" ? `failed as poison: ${failure.message}` : undefined;
}
