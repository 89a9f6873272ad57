// The door "millrace/resilience": retry, breaker, quota and limiter around any call, without a pipeline. Loads neither
// engine nor store. Names only.

export { retry, RetryError } from "../engine/resilience/retry.ts";
export type { RetryCallOptions, RetryEndReason, RetryNotice } from "../engine/resilience/retry.ts";
export type { RetryCall, RetryWork } from "../engine/resilience/retry-call.ts";
export { backoff } from "../engine/resilience/backoff.ts";
export type { BackoffOptions } from "../engine/resilience/backoff.ts";
export { classify } from "../engine/resilience/classify.ts";
export type { ClassifyOptions, ErrorVerdict } from "../engine/resilience/classify.ts";
export { breaker } from "../engine/resilience/breaker.ts";
export type {
  Breaker,
  BreakerChange,
  BreakerSettings,
  BreakerStateName,
  BreakerStats,
  TripOptions,
} from "../engine/resilience/breaker.ts";
export { quota } from "../engine/resilience/quota.ts";
export type {
  Quota,
  QuotaSettings,
  QuotaStats,
  QuotaWindow,
  Taken,
  TakeOptions,
} from "../engine/resilience/quota.ts";
export { limiter } from "../engine/resilience/limiter.ts";
export type {
  AcquireOptions,
  HeldPermit,
  Limiter,
  LimiterSettings,
} from "../engine/resilience/limiter.ts";
export { hostKey } from "../policy/host-key.ts";
export {
  isMillraceError,
  MillraceError,
  PermanentError,
  ThrottledError,
  TransientError,
} from "../model/errors.ts";
export type { ErrorClass } from "../model/outcome.ts";
export type { Jitter, RetryMatch, RetryOptions, RetryRule } from "../model/retry.ts";
export type { Clock } from "../std/clock.ts";
export type { Random } from "../std/random.ts";
export type { Duration } from "../std/duration.ts";
