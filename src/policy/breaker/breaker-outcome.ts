// What the end of a call tells a breaker about the other side, by the class of its failure. Only what proves it
// alive or away counts; faults of ours, and of the input, say nothing.

import { ERROR_CODES } from "../../model/errors.ts";
import type { ErrorClass } from "../../model/outcome.ts";
import type { BreakerOptions } from "../../model/resource/resource.ts";
import { EXIT_TABLE, SIGNAL_EXITS, SQLSTATE_TABLE } from "../classify/error-table.ts";

/**
 * What a call's end says. `success`, `failure`: the other side is alive, or away. `auth`: ignored, but a row of
 * them pauses the key. `ignored`, `cancelled`: nothing; a probe gives its place back.
 */
export type CallOutcome = "success" | "failure" | "auth" | "ignored" | "cancelled";

/** As much of a failure as a breaker asks for. */
export interface CallFailure {
  readonly class: ErrorClass;
  /** As in a stored failure: `HTTP 404`, `exit 3`, `ECONNRESET`. */
  readonly code?: string;
  /** What was thrown, for an `exclude` that is a function. */
  readonly error?: unknown;
}

/** By class; where the code decides, the word says which rule. */
const CLASS_OUTCOMES: Readonly<Record<ErrorClass, CallOutcome | "by-reply" | "by-exit">> = {
  unreachable: "failure",
  "dns-missing": "failure",
  broken: "failure",
  timeout: "failure",
  throttled: "ignored",
  server: "failure",
  "replay-later": "ignored",
  auth: "auth",
  "tls-config": "ignored",
  permanent: "by-reply",
  "already-done": "ignored",
  "no-verdict": "failure",
  "data-loss": "ignored",
  "db-conflict": "ignored",
  "db-away": "ignored",
  "db-full": "ignored",
  "local-resource": "ignored",
  "local-config": "ignored",
  subprocess: "by-exit",
  crash: "ignored",
  bug: "ignored",
  cancelled: "cancelled",
  fenced: "cancelled",
  deadline: "ignored",
  ambiguous: "ignored",
  "breaker-open": "ignored",
  "deferral-exhausted": "ignored",
  poison: "ignored",
  unknown: "failure",
};

/** Of faults that are ours alone, refusals by a limit or breaker among them. Single words may be anybody's. */
const OWN_CODES: ReadonlySet<string> = new Set(ERROR_CODES.filter((code) => code.includes("_")));

/**
 * What a call's end says; `failure` null: it succeeded. What `exclude` names or is true for is ignored. An `exclude`
 * that throws has said nothing.
 */
export function breakerOutcome(
  failure: CallFailure | null,
  exclude?: BreakerOptions["exclude"],
): CallOutcome {
  if (failure === null) return "success";
  const outcome = CLASS_OUTCOMES[failure.class];
  if (outcome === "cancelled") return outcome;
  if (OWN_CODES.has(failure.code ?? "")) return "ignored";
  if (exclude !== undefined && isExcluded(failure, exclude)) return "ignored";
  if (outcome === "by-reply") return isReply(failure.code ?? "") ? "success" : "ignored";
  if (outcome === "by-exit") return isFailedExit(failure.code ?? "") ? "failure" : "ignored";
  return outcome;
}

function isExcluded(
  failure: CallFailure,
  exclude: NonNullable<BreakerOptions["exclude"]>,
): boolean {
  if (typeof exclude !== "function") return exclude.includes(failure.class);
  try {
    return exclude(failure.error);
  } catch {
    // A fault in it must not hide the failure it was asked about; the table answers instead.
    return false;
  }
}

/**
 * Permanent is also what never left this machine (a URL that is none, an output that breaks its schema), and that
 * proves nothing: there has to be a status that only the other side can have said.
 */
function isReply(code: string): boolean {
  if (/^HTTP 4\d\d$/.test(code)) return true;
  if (code.startsWith("gRPC ")) return code !== "gRPC UNIMPLEMENTED";
  return SQLSTATE_TABLE.get(code.slice(0, 2))?.class === "permanent" && /^[0-9A-Z]{5}$/.test(code);
}

/** A temporary failure, or a code that says nothing; those that blame input or set-up do not count. */
function isFailedExit(code: string): boolean {
  const exitCode =
    SIGNAL_EXITS.get(code) ?? (code.startsWith("exit ") ? Number(code.slice(5)) : NaN);
  const entry = EXIT_TABLE.get(exitCode);
  return entry === undefined || entry.retry === "yes";
}
