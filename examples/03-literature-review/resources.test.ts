// What reviews share: the quota of the judges and the desk that closes after three failures, on the real engine.
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { openMillrace } from "millrace";
import type { Millrace, OpenOptions } from "millrace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { literatureReview } from "./pipeline.ts";
import { toResourceSettings } from "./resources.ts";
import { SOURCE } from "./stages.ts";
import { commandWords } from "../../test/support/suite-package.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const NAMES = ["zoo-design.pdf", "zoo-quickref.pdf", "zoo-faq.pdf"] as const;

let folder = "";
let mill: Millrace | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "literature-review-"));
  await mkdir(join(folder, "papers"));
  for (const name of NAMES) {
    const paper = join(import.meta.dirname, "papers-gpl", "whole", name);
    await cp(paper, join(folder, "papers", name));
  }
});
afterEach(async () => {
  await mill?.close();
  await rm(folder, { recursive: true });
});

async function open(options: OpenOptions = {}): Promise<Millrace> {
  const store = `sqlite:${join(folder, "store.db")}`;
  mill = await openMillrace({ store, pipelines: [literatureReview], ...options });
  return mill;
}

function toInput(faults?: string) {
  const fields = { papers: join(folder, "papers"), out: join(folder, "out") };
  return SOURCE.parse({ ...fields, ...(faults && { faults }) });
}

async function consumed(): Promise<number | undefined> {
  const page = await mill?.resources({ resource: "judges" });
  return page?.resources[0]?.totals.consumed;
}

async function stateOfDesk() {
  const page = await mill?.resources({ resource: "desk" });
  return page?.resources[0]?.breaker;
}

/** The command, with the store of this test. */
function millrace(...words: readonly string[]) {
  return spawnSync(process.execPath, [...commandWords(), ...words], {
    cwd: ROOT,
    encoding: "utf8",
  });
}

const CONFIG = join("examples", "03-literature-review", "millrace.config.ts");

test("R141: one unit per paper just before it is judged, none by plan, none for what is known already", async () => {
  const opened = await open();
  const run = async () => (await opened.start(literatureReview, toInput())).result();
  const plan = () => {
    const store = ["--store", `sqlite:${join(folder, "store.db")}`];
    expect(millrace("plan", CONFIG, "--input", JSON.stringify(toInput()), ...store)).toMatchObject({
      status: 0,
    });
  };
  plan();
  expect(await consumed()).toBe(0);
  await run();
  expect(await consumed()).toBe(3);
  expect((await run()).metrics).toMatchObject({ "cache.hit": 6 });
  plan();
  expect(await consumed()).toBe(3);
});

test("R141: a tight quota slows and never fails", async () => {
  const opened = await open({ resources: { judges: { quota: { rate: 5, per: "1s", burst: 1 } } } });
  const run = await opened.start(literatureReview, toInput());
  expect(await run.result()).toMatchObject({ state: "succeeded", warnings: 0 });
  const { items } = await opened.items(run.id, "judge");
  const starts = items
    .map(({ startedAt }) => Date.parse(startedAt ?? ""))
    .toSorted((a, b) => a - b);
  expect(starts).toHaveLength(3);
  // Two gaps of 200 ms.
  expect((starts[2] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(390);
});

test("R142: rate and per_seconds of the older configuration are a quota, shown with who uses it", () => {
  expect(toResourceSettings('{"judges":{"rate":60,"per_seconds":30}}')).toEqual({
    judges: { quota: { rate: 60, per: 30_000 } },
  });
  expect(() => toResourceSettings('{"judges":{"rate":0,"per_seconds":30}}')).toThrow("rate");
  const shown = millrace("show", "literature-review", "--config", CONFIG);
  expect(shown.status).toBe(0);
  expect(shown.stdout).toMatch(/judges +quota +60 per 1m, burst 60 +millrace.config.ts: resources/);
  expect(shown.stdout).toMatch(/judges +used by +judge /);
});

test("R129: three failures in different stages close the desk; after its time one try goes, and all goes on", async () => {
  const opened = await open({ resources: { desk: { breaker: { recovery: "1s" } } } });
  const faults = join(folder, "faults.json");
  await writeFile(faults, "[]");
  const run = await opened.start(literatureReview, toInput(faults));
  await run.result();
  for (const stage of ["gaps", "scorecard", "report"]) {
    expect(await stateOfDesk()).toMatchObject({ state: "closed" });
    await writeFile(faults, JSON.stringify([{ stage, do: "fail" }]));
    const failing = await opened.rerun(run.id, { from: stage, noRetry: true });
    expect(await failing.result()).toMatchObject({ state: "failed", failedStages: [stage] });
  }
  expect(await stateOfDesk()).toMatchObject({ state: "open", openings: 1 });

  await writeFile(faults, "[]");
  const openedAtMs = Date.now();
  const late = await opened.rerun(run.id, { from: "gaps" });
  expect(await late.result()).toMatchObject({ state: "succeeded" });
  expect(Date.now() - openedAtMs).toBeGreaterThan(500);
  expect(await stateOfDesk()).toMatchObject({ state: "closed" });
});

test("R129: a success in between begins the count anew", async () => {
  const opened = await open();
  const faults = join(folder, "faults.json");
  // Each of three stages fails once, and works when it is tried again.
  const orders = ["requirements", "gaps", "report"].map((stage) => ({ stage, do: "fail" }));
  await writeFile(faults, JSON.stringify(orders));
  const run = await opened.start(literatureReview, toInput(faults));
  expect(await run.result()).toMatchObject({ state: "succeeded" });
  expect(await stateOfDesk()).toMatchObject({ state: "closed", failures: 3, openings: 0 });
});
