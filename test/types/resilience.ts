// Compile-only: what the door "millrace/resilience" promises the compiler, good and bad. Nothing here runs.

import { hostKey } from "millrace";
import {
  breaker,
  limiter,
  quota,
  retry,
  type HeldPermit,
  type RetryCall,
} from "millrace/resilience";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<T extends true>(): T | undefined {
  return undefined;
}

export async function good(): Promise<void> {
  const hosts = limiter({ limit: 4, keys: { "slow.example": 1 } });
  const api = breaker({ threshold: 3, exclude: ["throttled"] });
  const tokens = quota({ windows: [{ rate: 10, per: "1s" }] });
  // What is guarded comes out as it went in, whether it was promised or not.
  const sync = await api.run(() => 1);
  expectType<Equal<typeof sync, number>>();
  const all = await hosts.run(hostKey("https://example.com"), () =>
    retry(async ({ attempt }: RetryCall) => Promise.resolve(`${attempt}`), 3, { timeout: "5s" }),
  );
  expectType<Equal<typeof all, string>>();
  const permit = hosts.tryAcquire("a");
  expectType<Equal<typeof permit, HeldPermit | undefined>>();
  const { waitedMs } = await tokens.take(1, { wait: "200ms" });
  expectType<Equal<typeof waitedMs, number>>();
}

export function bad(): void {
  // @ts-expect-error a stand-alone breaker never waits
  breaker({ whenOpen: "wait" });
  // @ts-expect-error a quota needs a rate
  quota({ per: "1s" });
  // @ts-expect-error a number of units costs what it says
  quota({ rate: 1, per: "1s", cost: () => 2 });
  // @ts-expect-error no such duration
  void limiter().acquire("a", { timeout: "2 weeks" });
  // @ts-expect-error a retry says how often
  void retry(() => 1);
}
