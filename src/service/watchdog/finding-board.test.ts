import { expect, onTestFinished, test } from "vitest";
import type { Seen } from "../../policy/watchdog/finding.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { openMillrace } from "../millrace.ts";
import { FindingBoard, readBoard } from "./finding-board.ts";

const found: Seen = {
  sighting: { rule: "queue-old", subject: "crawl", message: "It is old." },
  sinceMs: 1,
  isFinding: true,
};

async function open(): Promise<MillContext> {
  const mill = await openMillrace({ store: "memory:", pipelines: [] });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  return contextOf(mill);
}

async function listRules({ store }: MillContext): Promise<readonly string[]> {
  return (await readBoard(store)).map(({ sighting }) => sighting.rule);
}

test("what the last holder found and is gone by now goes with the first look of the next one", async () => {
  const mill = await open();
  const [first, second] = [new FindingBoard(mill), new FindingBoard(mill)];
  await first.write([found]);
  expect(await second.read()).toHaveLength(1);
  await second.write([]);
  expect(await listRules(mill)).toEqual([]);
});

test("a holder that takes over again writes what it had written before, where another has written since", async () => {
  const mill = await open();
  const [first, second] = [new FindingBoard(mill), new FindingBoard(mill)];
  await first.write([found]);
  await second.read();
  await second.write([{ ...found, sighting: { ...found.sighting, rule: "log-large" } }]);
  expect(await listRules(mill)).toEqual(["log-large"]);
  await first.read();
  await first.write([found]);
  expect(await listRules(mill)).toEqual(["queue-old"]);
});
