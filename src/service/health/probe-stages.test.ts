import { expect, test } from "vitest";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { definePipeline } from "../pipeline.ts";
import { probeStages } from "./probe-stages.ts";

const run = (): number => 1;

test("R292: every stage with a probe answers, and one that throws, says no or hangs hides none of the others", async () => {
  const clock = makeVirtualClock();
  let aborted: unknown;
  const hangs = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        aborted = signal.reason;
        reject(new Error("stopped"));
      });
    });
  const { definition } = definePipeline({
    name: "probed",
    stages: [
      { id: "good", run, health: () => true },
      { id: "silent", run, health: () => undefined },
      { id: "no", run, health: async () => false },
      { id: "hangs", run, health: hangs },
      {
        id: "throws",
        run,
        health: () => {
          throw new Error("no database");
        },
      },
      { id: "unasked", run },
    ],
  });

  const probing = probeStages([definition], { clock, probeMs: 2_000 });
  await clock.advance(2_000);

  expect((await probing).map(({ stage, status, message }) => [stage, status, message])).toEqual([
    ["good", "ok", undefined],
    ["silent", "ok", undefined],
    ["no", "fail", "it answered false"],
    ["hangs", "fail", "it did not answer within 2s"],
    ["throws", "fail", "no database"],
  ]);
  expect(aborted).toMatchObject({ message: "it did not answer within 2s" });
});

test("a few probes that hang do not keep many others waiting for more than their time", async () => {
  const clock = makeVirtualClock();
  const { definition } = definePipeline({
    name: "probed",
    stages: Array.from({ length: 40 }, (_none, index) => ({
      id: `s${index}`,
      run,
      health: () => (index < 15 ? new Promise(() => undefined) : true),
    })),
  });

  const probing = probeStages([definition], { clock, probeMs: 1_000 });
  await clock.advance(1_000);
  const views = await probing;

  expect(views.filter(({ status }) => status === "ok")).toHaveLength(25);
  expect(clock.monotonicMs()).toBeLessThan(2_000);
});
