import { afterEach, expect, test } from "vitest";
import { openMillrace, type Millrace } from "../millrace.ts";
import { definePipeline, type StageById } from "../pipeline.ts";
import { readPeriodReport } from "./period-report.ts";

let open: Millrace | undefined;

afterEach(async () => {
  await open?.close({ drainMs: 0 });
  open = undefined;
});

/** Works runs one after the other, and reports on all of them. */
async function reportOn(
  runs: readonly (readonly StageById[])[],
): Promise<Awaited<ReturnType<typeof readPeriodReport>>> {
  open = await openMillrace({ store: "memory:" });
  for (const stages of runs) {
    await (await open.start(definePipeline({ name: "made", stages }), undefined)).result();
  }
  return await readPeriodReport(open.store, { sinceMs: 0 });
}

/** A map over so many items, of which each named one fails. */
function makeMap(count: number, failing: (item: number) => boolean): readonly StageById[] {
  return [
    {
      id: "each",
      over: Array.from({ length: count }, (_, index) => index),
      key: String,
      onItemFailure: "continue",
      tolerate: "100%",
      concurrency: 100,
      run: (item: unknown) => {
        if (failing(Number(item))) throw new TypeError("no good");
      },
    },
  ];
}

test("what runs bore that succeeded is among the failures of their period, counted over all of them", async () => {
  const bears = makeMap(5, (item) => item > 2);
  const { failures, otherFailures, period } = await reportOn([bears, bears]);
  expect(period).toMatchObject({ succeeded: 2, failed: 0 });
  expect(failures).toMatchObject([{ stage: "each", item: "3", message: "no good", count: 4 }]);
  expect(otherFailures).toBe(0);
});

test("a stage that may fail is told with its run, and what failed a run is told once", async () => {
  const fail = (message: string) => (): never => {
    throw new RangeError(message);
  };
  const bears = [
    { id: "may", critical: false, run: fail("may fail") },
    { id: "does", run: () => 1 },
  ];
  const { failures } = await reportOn([bears, [{ id: "must", run: fail("must not fail") }]]);
  expect(failures.map(({ stage, message, count }) => [stage, message, count])).toEqual([
    ["must", "must not fail", 1],
    ["may", "may fail", 1],
  ]);
});

test("a run that came to its deadline is told once, with the stage that it met", async () => {
  const waits = (_input: unknown, { signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  open = await openMillrace({ store: "memory:", graceMs: 10 });
  const made = definePipeline({ name: "made", stages: [{ id: "waits", run: waits }] });
  await (await open.start(made, undefined, { deadline: 20 })).result();
  const { failures, period } = await readPeriodReport(open.store, { sinceMs: 0 });
  expect(period).toMatchObject({ failed: 1 });
  expect(failures).toMatchObject([{ class: "deadline", stage: "waits", count: 1 }]);
});

test("of more items than are read the rest is counted", async () => {
  const { failures, otherFailures } = await reportOn([
    makeMap(6_000, () => true),
    makeMap(6_000, () => true),
  ]);
  expect(failures).toMatchObject([{ count: 10_000 }]);
  expect(otherFailures).toBe(2_000);
});
