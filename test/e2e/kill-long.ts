// The kill tests for as long as one likes: a sweep over every commit of a run and of a resume, then kills at random
// moments, a hundred to a store. Prints one line per store and a total, and stops at the first thing that is wrong.
//
//   npm run kill -- --kills 1000 --seed 7      exit 1 on a failure, with the command that repeats it
//
// `--jobs N`: campaigns at once (default 2). `--no-sweep`: only random kills.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Verdict } from "./kill/campaign.ts";
import { commandOf, killAtRandom, killNewRuns, killResumes } from "./kill/programme.ts";

const KILLS_PER_STORE = 100;

/** One campaign of the programme. */
interface Entry {
  readonly name: string;
  readonly command: string;
  run(): Promise<Verdict>;
}

function listEntries(options: { kills: number; seed: number; sweep: boolean }): readonly Entry[] {
  const { kills, seed, sweep } = options;
  const entries: Entry[] = [];
  for (const side of ["before", "after"] as const) {
    if (!sweep) break;
    const command = "npm run kill -- --kills 0";
    entries.push({ name: `${side} each commit of a run`, command, run: () => killNewRuns(side) });
    entries.push({
      name: `${side} each commit of a resume`,
      command,
      run: () => killResumes(side),
    });
  }
  for (let done = 0; done < kills; done += KILLS_PER_STORE) {
    const part = { kills: Math.min(KILLS_PER_STORE, kills - done), seed: seed + entries.length };
    const name = `${part.kills} random kills, seed ${part.seed}`;
    const command = `${commandOf(part)} --no-sweep`;
    entries.push({ name, command, run: () => killAtRandom(part) });
  }
  return entries;
}

async function work(entries: readonly Entry[], jobs: number): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const left = entries.values();
  const worker = async (): Promise<void> => {
    for (const entry of left) {
      try {
        const verdict = await entry.run();
        verdicts.push(verdict);
        console.log(`${entry.name}: ${describe(verdict)}`);
      } catch (error) {
        console.error(`${entry.name} failed. To repeat it: ${entry.command}`);
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return verdicts;
}

function describe({ deaths, runs, effects, repeated }: Verdict): string {
  return `${deaths} kills, ${runs} runs, ${effects} effects, ${repeated} of them repeated before their commit`;
}

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    sweep: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const beganMs = performance.now();
const verdicts = await work(
  listEntries({ kills: Number(values.kills), seed: Number(values.seed), sweep: values.sweep }),
  Number(values.jobs),
);
const total = verdicts.reduce((sum, one) => ({
  deaths: sum.deaths + one.deaths,
  runs: sum.runs + one.runs,
  effects: sum.effects + one.effects,
  repeated: sum.repeated + one.repeated,
}));
const seconds = Math.round((performance.now() - beganMs) / 1_000);
console.log(`total: ${describe(total)}, ${seconds} s, 0 failures`);
