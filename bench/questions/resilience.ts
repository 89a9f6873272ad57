// What do retry, timeout, breaker and limit add to an async call that succeeds, beside cockatiel's and opossum's, and
// what do keys of a limiter cost that nobody uses any more?

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { breaker, limiter, quota, retry } from "millrace/resilience";
import { measure, printConditions, printFigures, printTarget } from "../lib/measure.ts";
import type { Variant } from "../lib/measure.ts";

const CALLS = 1_000;
const KEYS = 100_000;
const BYTES_PER_MB = 1e6;
const POLICY = { attempts: 3 };
const LIMITS = { timeout: 10_000 };

type Call = () => Promise<unknown>;

const work = (): Promise<number> => Promise.resolve(1);

interface Peers {
  readonly guardWithCockatiel: (call: Call) => Call;
  readonly guardWithOpossum: (call: Call) => { readonly call: Call; readonly stop: () => void };
}

/** Loaded by address: peers have their own lockfile (`npm ci --prefix bench/peers`). */
async function loadPeers(): Promise<Peers> {
  const load = async (name: string): Promise<object> => {
    const address = new URL(`../peers/${name}.js`, import.meta.url).href;
    // A JavaScript file of our own.
    return (await import(address)) as object;
  };
  // Their functions are written beside them.
  return { ...(await load("cockatiel")), ...(await load("opossum")) } as Peers;
}

function repeat(name: string, call: Call): Variant {
  const run = async (): Promise<void> => {
    for (let count = 0; count < CALLS; count += 1) await call();
  };
  return { name, run, units: CALLS, repeat: 20 };
}

function listVariants(): readonly Variant[] {
  const guard = breaker();
  const hosts = limiter({ limit: 10 });
  const tokens = quota({ rate: 1e8, per: "1s" });
  const guarded = (): Promise<number> => guard.run(work);
  const stack = (): Promise<number> => hosts.run("host", () => retry(guarded, POLICY, LIMITS));
  const withSignal = (): Promise<number> =>
    retry(({ signal }) => (signal.aborted ? 0 : guarded()), POLICY, LIMITS);
  return [
    repeat("the bare call", work),
    repeat("millrace, all four", stack),
    repeat("  breaker alone", guarded),
    repeat("  limiter alone", () => hosts.run("host", work)),
    repeat("  retry alone", () => retry(work, POLICY)),
    repeat("  retry, timeout", () => retry(work, POLICY, LIMITS)),
    repeat("  all four, signal looked at", () => hosts.run("host", withSignal)),
    repeat("  quota alone", () => tokens.take()),
  ];
}

/** Answers whether every floor was met. */
export async function ask(): Promise<boolean> {
  const { guardWithCockatiel, guardWithOpossum } = await loadPeers();
  printConditions("retry, timeout, breaker and limit around an async call, µs per call");
  const opossum = guardWithOpossum(work);
  const figures = await measure([
    ...listVariants(),
    repeat("cockatiel, all four", guardWithCockatiel(work)),
    repeat("opossum, without retry", opossum.call),
  ]);
  opossum.stop();
  printFigures(figures, "µs");
  const [bare, ours] = figures;
  const added = (ours?.median ?? Number.NaN) - (bare?.median ?? Number.NaN);
  const callMet = printTarget("added to a call, µs", added, 2.5);
  return askKeys() && callMet;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed;
}

/** Keys that were used once, and twice as many: the older half must be gone. */
function askKeys(): boolean {
  printConditions(`a limiter that remembers ${KEYS} keys, MB`);
  const hosts = limiter({ limit: 4, idleKeysMax: KEYS });
  const beforeBytes = heapBytes();
  const use = (from: number): number => {
    for (let index = from; index < from + KEYS; index += 1)
      hosts.tryAcquire(`host-${index}.example.com`)?.release();
    return (heapBytes() - beforeBytes) / BYTES_PER_MB;
  };
  const first = use(0);
  const second = use(KEYS);
  console.log(`  ${KEYS} keys ${first.toFixed(1)} MB, twice as many ${second.toFixed(1)} MB`);
  const sizeMet = printTarget("idle keys, MB", first, 60);
  const keptMet = printTarget("keys remembered", hosts.keys, KEYS);
  return (
    printTarget("twice as many keys, times the memory", second / first, 1.2) && sizeMet && keptMet
  );
}
