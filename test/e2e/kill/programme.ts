// What is killed when: at every commit of a new run, at every commit of a resume, and at random moments. Each on
// a store of its own, judged at its end.

import { makeSeededRandom } from "../../../src/std/random.ts";
import { Campaign, type Moment, type Verdict } from "./campaign.ts";

/** Items of each list of the runs that are killed. */
const ITEMS = 5;
/** Latest moment of a random kill, ms after the process began to work: some runs of a quiet machine. */
const KILL_MS_MAX = 300;
/** One kill in so many falls into the time while the store is opened. */
const OPENING_KILLS = 5;
const OPENING_MS_MAX = 100;
const COMMITS_MAX = 200;

/** Which side of a commit. */
export type Side = "before" | "after";

/** Kills new runs at their first commit, their second, and so on until one gets through. */
export function killNewRuns(side: Side): Promise<Verdict> {
  return judged(async (campaign) => {
    for (let commit = 1; commit <= COMMITS_MAX; commit += 1) {
      const kill = { from: "start", commit, when: side } as const;
      if ((await campaign.run({ runs: 1, items: ITEMS, kill })) === "finished") return;
    }
    throw new Error(`A run had more than ${COMMITS_MAX} commits.`);
  });
}

/** Kills a run in its middle, then its resume at the first commit, and so on until one gets through. */
export function killResumes(side: Side): Promise<Verdict> {
  return judged(async (campaign) => {
    const middle = { from: "start", commit: 6, when: "after" } as const;
    for (let commit = 1; commit <= COMMITS_MAX; commit += 1) {
      await campaign.run({ runs: 1, items: ITEMS, kill: middle });
      const kill = { from: "open", commit, when: side } as const;
      if ((await campaign.run({ runs: 0, items: ITEMS, kill })) === "finished") return;
    }
    throw new Error(`A resume had more than ${COMMITS_MAX} commits.`);
  });
}

/** Kills at moments that the seed gives. */
export function killAtRandom(options: {
  readonly kills: number;
  readonly seed: number;
}): Promise<Verdict> {
  const random = makeSeededRandom(options.seed);
  return judged(async (campaign) => {
    for (let kill = 0; kill < options.kills; kill += 1) {
      const at = random.float();
      const moment: Moment =
        kill % OPENING_KILLS === 0
          ? { word: "opening", afterMs: Math.floor(at * OPENING_MS_MAX) }
          : { word: "working", afterMs: Math.floor(at * KILL_MS_MAX) };
      await campaign.run({ runs: 1_000, items: ITEMS }, moment);
    }
  });
}

/** The command that repeats random kills. Their moments are the same; what they hit depends on the machine. */
export function commandOf(options: { readonly kills: number; readonly seed: number }): string {
  return `npm run kill -- --kills ${options.kills} --seed ${options.seed}`;
}

async function judged(work: (campaign: Campaign) => Promise<void>): Promise<Verdict> {
  const campaign = new Campaign();
  try {
    // One that ends well leaves its compiled code to those that cannot.
    await campaign.run({ runs: 0, items: ITEMS });
    await work(campaign);
    const verdict = await campaign.judge(ITEMS);
    campaign.remove();
    return verdict;
  } catch (error) {
    throw new Error(`After ${campaign.deaths} deaths; the store is left in ${campaign.folder}.`, {
      cause: error,
    });
  }
}
