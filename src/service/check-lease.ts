// Whether the times of a lease go together, for those who read them from settings.

import type { LeaseTerms } from "../model/lease.ts";
import { checkLeaseTerms } from "../policy/lease-terms.ts";

/** Throws OPTION_INVALID, with the numbers, for a lease that a healthy worker could not keep. */
export function checkLease(lease: Pick<LeaseTerms, "leaseMs" | "heartbeatMs">): void {
  checkLeaseTerms(lease);
}
