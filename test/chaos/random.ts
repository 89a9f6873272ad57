// Suite "random": three worker processes on one store, each killed at a random moment of its first two seconds and
// replaced, while new runs are queued. A trial is a store with a number of kills.

import assert from "node:assert/strict";
import { join } from "node:path";
import { makeSeededRandom, type Random } from "../../src/std/random.ts";
import type { Passage } from "../e2e/kill/reference-pipeline.ts";
import { Child } from "./child.ts";
import { makePassages, Scene } from "./scene.ts";
import { removeFolder, type Suite, type Tally, type Trial } from "./suite.ts";

const WORKERS = 3;
const KILLS_PER_STORE = 12;
const KILL_MS_MAX = 2_000;
const ITEMS = 5;
/** New runs per kill: enough for a worker's two seconds. */
const RUNS_PER_KILL = 6;

interface Campaign {
  readonly scene: Scene;
  readonly random: Random;
  readonly passages: Passage[];
  started: number;
  kills: number;
  drained: number;
}

/** One place for a worker: it works, is killed, and another takes its place. */
async function keepKilling(campaign: Campaign): Promise<void> {
  const { scene, random, passages } = campaign;
  while (campaign.kills < KILLS_PER_STORE) {
    // Counted before, so that the three of them do not kill more than was asked for.
    campaign.kills += 1;
    campaign.started += 1;
    const more = makePassages(`r${campaign.started}`, RUNS_PER_KILL, ITEMS);
    passages.push(...more);
    await scene.enqueue(more);
    const worker = new Child(scene.job({ concurrency: 2 }));
    const timer = setTimeout(() => worker.kill("SIGKILL"), random.float() * KILL_MS_MAX);
    const { code, signal, stderr } = await worker.ended;
    clearTimeout(timer);
    if (signal !== "SIGKILL") {
      assert.equal(code, 0, stderr);
      campaign.kills -= 1;
      campaign.drained += 1;
    }
    assert.deepEqual(worker.runsOf("failed"), []);
    scene.look();
  }
}

async function runCampaign(folder: string, seed: number): Promise<Tally> {
  const scene = new Scene(folder);
  const random = makeSeededRandom(seed);
  const campaign: Campaign = { scene, random, passages: [], started: 0, kills: 0, drained: 0 };
  await scene.enqueue([]);
  await Promise.all(Array.from({ length: WORKERS }, () => keepKilling(campaign)));
  await scene.drain();
  await scene.judge(campaign.passages);
  scene.remove();
  return { killed: campaign.kills, drained: campaign.drained, runs: campaign.passages.length };
}

export const random: Suite = {
  name: "random",
  countDefault: 2,
  missing: () => null,
  async prepare({ seed, count, folder }): Promise<readonly Trial[]> {
    removeFolder(folder);
    return Array.from({ length: count }, (_, index) => ({
      name: `store ${index}`,
      run: () => runCampaign(join(folder, `store-${index}`), seed * 10_000 + index),
    }));
  },
};
