// opossum: breaker, timeout and capacity around a call; it has no retry. JavaScript, so that type checks need no peers
// installed.
import CircuitBreaker from "opossum";

/** A function that makes the call under the three, and one that stops the timers of its statistics. */
export function guardWithOpossum(work) {
  const breaker = new CircuitBreaker(work, { timeout: 10_000, resetTimeout: 30_000, capacity: 10 });
  return { call: () => breaker.fire(), stop: () => breaker.shutdown() };
}
