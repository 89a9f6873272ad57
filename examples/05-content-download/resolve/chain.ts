// The resolvers in order, each answer looked at before the next one is asked: the first address under which the
// document really lies wins, and nobody after it is asked. What the others said is kept.
import { PermanentError } from "millrace";
import { toHttpError } from "../net/client.ts";
import type { Answer } from "../net/client.ts";
import { HttpError, isPassing } from "../net/http-error.ts";
import type { Artifact } from "./artifact.ts";
import { RESOLVER_NAMES, RESOLVERS } from "./resolver.ts";
import type { Desk, ResolverName } from "./resolver.ts";

/** Why an address was not taken, as a matter of manners or policy. */
export type SkipReason = "robots" | "policy-type" | "policy-size";

/** What came of one resolver. */
export type PlanOutcome =
  | { readonly resolver: ResolverName; readonly kind: "none" }
  | {
      readonly resolver: ResolverName;
      readonly kind: "skipped";
      readonly address: string;
      readonly reason: SkipReason;
    }
  | { readonly resolver: ResolverName; readonly kind: "failed"; readonly reason: string };

/** Where a document lies. */
export interface Plan {
  readonly resolver: ResolverName;
  /** As the resolver gave it. */
  readonly address: string;
  /** After redirects: here it is fetched. */
  readonly location: string;
  /** What the resolvers before it said. */
  readonly outcomes: readonly PlanOutcome[];
}

/** What the chain comes to. */
export type Resolution =
  | { readonly kind: "found"; readonly plan: Plan }
  | { readonly kind: "skipped"; readonly reason: SkipReason };

/** Limits of what is taken. */
export interface Policy {
  readonly bytesMax: number;
}

/**
 * Asks in order. Throws when no way leads to the document: an error that may pass, if there was one, so that the whole
 * chain is tried again; else a PermanentError that says what each resolver said.
 */
export async function resolveArtifact(
  artifact: Artifact,
  desk: Desk,
  policy: Policy,
): Promise<Resolution> {
  const outcomes: PlanOutcome[] = [];
  const errors: unknown[] = [];
  for (const resolver of RESOLVER_NAMES) {
    try {
      const tried = await tryResolver(resolver, { artifact, desk, policy });
      if (tried.kind === "found") {
        return { kind: "found", plan: { resolver, ...tried.place, outcomes } };
      }
      outcomes.push(tried.outcome);
    } catch (error) {
      if (desk.signal.aborted) throw error;
      errors.push(error);
      outcomes.push({ resolver, kind: "failed", reason: toReason(error) });
    }
  }
  return judge(outcomes, errors);
}

interface Trial {
  readonly artifact: Artifact;
  readonly desk: Desk;
  readonly policy: Policy;
}

type Tried =
  | { readonly kind: "found"; readonly place: Pick<Plan, "address" | "location"> }
  | { readonly kind: "other"; readonly outcome: PlanOutcome };

async function tryResolver(resolver: ResolverName, trial: Trial): Promise<Tried> {
  const { artifact, desk } = trial;
  const lead = await RESOLVERS[resolver](artifact, desk);
  if (lead === undefined) return { kind: "other", outcome: { resolver, kind: "none" } };
  if (lead.kind === "forbidden") return toSkipped(resolver, lead.url, "robots");
  const { address } = lead;
  const visit = await desk.client.visit(address, {
    method: "HEAD",
    signal: desk.signal,
    hold: desk.hold(null),
    read: (answer) => Promise.resolve(lookAt(answer, trial)),
  });
  const seen = visit.kind === "forbidden" ? "robots" : visit.value;
  if (typeof seen === "object") return { kind: "found", place: { address, ...seen } };
  return toSkipped(resolver, address, seen);
}

function toSkipped(resolver: ResolverName, address: string, reason: SkipReason): Tried {
  return { kind: "other", outcome: { resolver, kind: "skipped", address, reason } };
}

/** Judges a document by its headers alone. */
function lookAt(answer: Answer, { artifact, policy }: Trial): { location: string } | SkipReason {
  // A host that does not answer HEAD may well answer GET.
  if (answer.status === 405 || answer.status === 501) return { location: answer.url };
  if (answer.status !== 200) throw toHttpError("HEAD", answer);
  if (!hasType(answer, artifact.type)) return "policy-type";
  if (Number(answer.headers["content-length"] ?? 0) > policy.bytesMax) return "policy-size";
  return { location: answer.url };
}

/** True where the answer says nothing of its type, or the one that is wanted. */
export function hasType({ headers }: Pick<Answer, "headers">, type: string): boolean {
  const given = headers["content-type"];
  if (given === undefined) return true;
  const [essence = ""] = given.split(";");
  return [type, "application/octet-stream"].includes(essence.trim().toLowerCase());
}

function judge(outcomes: readonly PlanOutcome[], errors: readonly unknown[]): Resolution {
  const passing = errors.find((error) => !isFinal(error));
  if (passing !== undefined) throw passing;
  const skipped = outcomes.find((outcome) => outcome.kind === "skipped");
  if (skipped !== undefined && errors.length === 0) {
    return { kind: "skipped", reason: skipped.reason };
  }
  const [cause] = errors;
  const said = outcomes.map((outcome) => `${outcome.resolver}: ${describe(outcome)}`).join("; ");
  throw new PermanentError(`no way leads to the document. ${said}.`, { cause });
}

/** True for an error that another attempt would meet again. */
function isFinal(error: unknown): boolean {
  if (error instanceof HttpError) return !isPassing(error.status);
  return error instanceof PermanentError;
}

function describe(outcome: PlanOutcome): string {
  return outcome.kind === "none" ? "nothing" : outcome.reason;
}

function toReason(error: unknown): string {
  if (error instanceof HttpError) return `HTTP ${error.status}`;
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
