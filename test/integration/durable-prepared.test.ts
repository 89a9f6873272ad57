// Attempts that are being prepared, their start on its way to the store or their needs on the way from it, when
// the run or their stage ends meanwhile: their code is not called, and nothing ends twice.

import { expect, test } from "vitest";
import { pipeline, stage } from "millrace";
import { makeDurableWorld, makeGate } from "../support/durable/durable-world.ts";

test("a stage whose start is being recorded when the run is cancelled is not called", async () => {
  const world = makeDurableWorld("memory");
  let called = false;
  const once = stage("once", { idempotent: false }, () => void (called = true));
  const made = pipeline("p", { stages: [once] });
  const mill = await world.open([made]);

  const run = await mill.start(made, undefined);
  await run.cancel("never mind");
  const result = await run.result();

  expect(called).toBe(false);
  expect(result).toMatchObject({ state: "cancelled", reason: "never mind" });
  expect(result.stages["once"]?.state).toBe("cancelled");
});

test("a stage whose start is being recorded when another one fails is called or cancelled, never both", async () => {
  const world = makeDurableWorld("memory");
  let called = 0;
  const once = stage("once", { idempotent: false }, () => {
    called += 1;
    return "done";
  });
  const fails = stage("fails", {}, () => {
    throw new Error("boom");
  });
  const made = pipeline("p", { stages: [once, fails] });
  const mill = await world.open([made]);

  const run = await mill.start(made, undefined);
  const result = await run.result();

  expect(result.state).toBe("failed");
  expect(result.stages["once"]?.state).toBe(called === 0 ? "cancelled" : "succeeded");
});

test("a stage whose needs are being loaded when its run ends is not called", async () => {
  const world = makeDurableWorld("sqlite");
  const gate = makeGate();
  let isBroken = true;
  const called: string[] = [];
  const large = stage("large", {}, () => "x".repeat(200_000));
  const reader = stage("reader", { needs: { large } }, async (needs) => {
    if (isBroken) throw new Error("not yet");
    called.push(needs.large.slice(0, 1));
    await gate.opened;
    return needs.large.length;
  });
  const made = pipeline("p", { output: { reader } });
  const mill = await world.open([made]);
  const first = await mill.start(made, undefined);
  expect((await first.result()).state).toBe("failed");

  isBroken = false;
  const resumed = await mill.resume(first.id, { here: true });
  await resumed.cancel("never mind");
  const result = await resumed.result();

  expect(called).toEqual([]);
  expect(result).toMatchObject({ state: "cancelled" });
  expect(result.stages["reader"]?.state).toBe("cancelled");

  gate.open();
  const again = await mill.resume(first.id, { here: true });
  expect((await again.result()).output("reader")).toBe(200_000);
});
