// cockatiel: bulkhead, retry, breaker and timeout around a call. JavaScript, so that type checks need no peers installed.
import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";

/** A function that makes the call under all four. */
export function guardWithCockatiel(work) {
  const stack = wrap(
    bulkhead(10, 1_000),
    retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(10_000, TimeoutStrategy.Aggressive),
  );
  return () => stack.execute(work);
}
