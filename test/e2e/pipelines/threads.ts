// A pipeline that computes in threads, for tests of the command, which knows where it is: it names no module.

import { existsSync, writeFileSync } from "node:fs";
import { isMainThread, threadId } from "node:worker_threads";
import { input, map, pipeline, stage } from "millrace";

const order = input<{ readonly upTo?: number; readonly stay?: boolean } | undefined>();
const parts = stage("parts", { needs: { order } }, ({ order }) =>
  Array.from({ length: 4 }, (_, index) => index * (order?.upTo ?? 2_000)),
);

function countPrimes(from: number, to: number): number {
  let primes = 0;
  for (let number = Math.max(2, from); number < to; number += 1) {
    let isPrime = true;
    for (let part = 2; part * part <= number && isPrime; part += 1) isPrime = number % part > 0;
    if (isPrime) primes += 1;
  }
  return primes;
}

const counted = map(
  "count",
  { over: parts, key: (from) => `${from}`, needs: { order }, runIn: "thread" },
  (from, { order }, ctx) => {
    writeFileSync(`at-${from}`, `${isMainThread} ${threadId}`);
    // Busy on purpose: nothing here gives way.
    while (order?.stay === true && !existsSync("go")) countPrimes(0, 1_000);
    const primes = countPrimes(from, from + (order?.upTo ?? 2_000));
    ctx.log.info(`found ${primes}`);
    ctx.metric.increment("primes", primes);
    return primes;
  },
);
const sum = stage("sum", { needs: { counted }, runIn: "thread" }, ({ counted }) =>
  counted.reduce((total, primes) => total + primes, 0),
);

/** Primes below four times `upTo`, counted in four items. */
export const primes = pipeline("primes", { input: order, output: { sum } });
