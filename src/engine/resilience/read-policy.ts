// Retry policies of callers, parsed once per object: reading one costs more than the call it guards.

import { OptionReader } from "../../model/compile/option-reader.ts";
import { parseRetry, RETRY_POLICY_DEFAULT } from "../../model/compile/parse-retry.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import type { RetryOptions, RetryPolicy } from "../../model/retry.ts";
import { refuseFaults } from "./read-options.ts";

const parsed = new WeakMap<RetryOptions, RetryPolicy>();
const byAttempts = new Map<number, RetryPolicy>();

/** The policy, as stages have it; a number is `attempts`. Later changes of the object are not seen. OPTION_INVALID. */
export function readPolicy(policy: number | RetryOptions): RetryPolicy {
  const known = typeof policy === "number" ? byAttempts.get(policy) : parsed.get(policy);
  return known ?? parse(policy);
}

function parse(policy: number | RetryOptions): RetryPolicy {
  const faults: DefinitionFault[] = [];
  const reader = new OptionReader({ retry: policy }, "call", faults);
  const read = parseRetry(reader, RETRY_POLICY_DEFAULT);
  refuseFaults("A retry", faults, "call.");
  // What is no record came through without a fault only as undefined: the house's own policy.
  if (typeof policy === "number") byAttempts.set(policy, read);
  else if (typeof policy === "object") parsed.set(policy, read);
  return read;
}
