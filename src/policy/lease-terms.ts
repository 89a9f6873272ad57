// Which times of a lease go together: a healthy holder never loses it, and whoever loses it has stopped before
// anybody else may take it. Also when a holder has to stop. Time is an argument.

import {
  HEARTBEAT_MS_DEFAULT,
  LEASE_CALL_MS_DEFAULT,
  LEASE_DEADLINE_GRACE_MS_DEFAULT,
  LEASE_GRACE_MS_DEFAULT,
  LEASE_MISSES_DEFAULT,
  LEASE_MS_DEFAULT,
  LEASE_PAUSE_MS_DEFAULT,
  LEASE_STOP_MS_DEFAULT,
  LOOP_SILENCE_MS_DEFAULT,
  PRESENCE_MS_DEFAULT,
  RENEWAL_THREAD_MS_DEFAULT,
} from "../model/defaults.ts";
import { MillraceError } from "../model/errors.ts";
import type { LeaseTerms } from "../model/lease.ts";

/** Rate error of a clock that a lease allows for. */
const CLOCK_RATE_ERROR = 0.001;

/** The terms where nothing is said. */
export const LEASE_TERMS_DEFAULT: LeaseTerms = {
  leaseMs: LEASE_MS_DEFAULT,
  heartbeatMs: HEARTBEAT_MS_DEFAULT,
  misses: LEASE_MISSES_DEFAULT,
  callMs: LEASE_CALL_MS_DEFAULT,
  pauseMs: LEASE_PAUSE_MS_DEFAULT,
  stopMs: LEASE_STOP_MS_DEFAULT,
  graceMs: LEASE_GRACE_MS_DEFAULT,
  presenceMs: PRESENCE_MS_DEFAULT,
  loopSilenceMs: LOOP_SILENCE_MS_DEFAULT,
  deadlineGraceMs: LEASE_DEADLINE_GRACE_MS_DEFAULT,
  threadAfterMs: RENEWAL_THREAD_MS_DEFAULT,
};

/** The terms with what a caller says of them. OPTION_INVALID, with the numbers, for terms that cannot hold. */
export function checkLeaseTerms(given: Partial<LeaseTerms> = {}): LeaseTerms {
  const terms = { ...LEASE_TERMS_DEFAULT, ...given };
  for (const [name, value] of Object.entries(terms)) {
    const isRight = Number.isFinite(value) && value >= (MAY_BE_ZERO.has(name) ? 0 : 1);
    if (!isRight) throw refuse(`lease: ${name} is ${value}, and has to be a positive number.`);
  }
  refuseShortLease(terms);
  refuseLateStop(terms);
  return terms;
}

const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  "misses",
  "callMs",
  "pauseMs",
  "stopMs",
  "graceMs",
  "deadlineGraceMs",
  "threadAfterMs",
]);

/** A healthy holder renews in time, whatever it misses within its bounds. */
function refuseShortLease({ leaseMs, heartbeatMs, misses, callMs, pauseMs }: LeaseTerms): void {
  const neededMs = (misses + 1) * heartbeatMs + callMs + pauseMs;
  if (leaseMs >= neededMs) return;
  throw refuse(
    `A lease of ${leaseMs} ms cannot be kept with a heartbeat of ${heartbeatMs} ms: ` +
      `${misses + 1} heartbeats, a renewal of ${callMs} ms and a pause of ${pauseMs} ms take ${neededMs} ms, ` +
      `and ${leaseMs} < ${misses + 1} · ${heartbeatMs} + ${callMs} + ${pauseMs}.`,
  );
}

/** Who has to give a run up stops before its lease is over, and not while it could still renew. */
function refuseLateStop({ leaseMs, heartbeatMs, misses, callMs, stopMs }: LeaseTerms): void {
  const neededMs = (misses + 1) * heartbeatMs + callMs;
  const stopAfterMs = leaseMs * (1 - CLOCK_RATE_ERROR) - stopMs;
  if (neededMs <= stopAfterMs) return;
  throw refuse(
    `A lease of ${leaseMs} ms leaves no time to stop with a heartbeat of ${heartbeatMs} ms: ` +
      `its holder stops after ${stopAfterMs} ms and may renew until ${neededMs} ms, and ` +
      `${misses + 1} · ${heartbeatMs} + ${callMs} > ${leaseMs} · ${1 - CLOCK_RATE_ERROR} − ${stopMs}.`,
  );
}

/** When a holder stops whose last renewal, or claim, was sent at `sentMs`. */
export function stopTimeOf(
  { leaseMs, stopMs }: Pick<LeaseTerms, "leaseMs" | "stopMs">,
  sentMs: number,
): number {
  return sentMs + leaseMs * (1 - CLOCK_RATE_ERROR) - stopMs;
}

function refuse(message: string): MillraceError {
  return new MillraceError("OPTION_INVALID", message, {
    hint: "make the lease longer, or the heartbeat shorter: a third of the lease is too long already",
  });
}
