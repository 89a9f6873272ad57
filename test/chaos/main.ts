// The chaos programme: kills, frozen workers, busy and full disks, power cuts and flipped bytes, for as long as one
// likes. What is done is noted line by line, so that the same command goes on where it was stopped.
//
//   npm run chaos -- [suite ...] [--seed N] [--count N] [--minutes M]     exit 1 on a violation
//
// `--count`: trials of each suite (default: a few; more than there are: all). `--minutes`: time of each suite.
// `--only NAME`: one trial, again. `--fresh`: forgets what was done. Of two that run at one time each needs a seed or
// suites of its own.

import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busy } from "./busy.ts";
import { disk } from "./disk.ts";
import { flips } from "./flips.ts";
import { lockFolder } from "./folder-lock.ts";
import { power } from "./power.ts";
import { random } from "./random.ts";
import { addTally, type Suite, type Tally, type Trial, WORK_FOLDER } from "./suite.ts";
import { sweep } from "./sweep.ts";
import { zombie } from "./zombie.ts";

const SUITES: readonly Suite[] = [sweep, random, zombie, busy, disk, power, flips];
const RESULTS = join(WORK_FOLDER, "results.jsonl");

/** A line of the notes. */
interface Note {
  readonly commit: string;
  readonly suite: string;
  readonly seed: number;
  readonly trial: string;
  readonly ms: number;
  readonly tally: Tally | null;
  readonly fault: string | null;
}

/** What became of a suite. */
interface Outcome {
  readonly suite: string;
  readonly trials: number;
  readonly ms: number;
  readonly tally: Tally;
  readonly faults: number;
  readonly skipped: string | null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string" },
    minutes: { type: "string" },
    only: { type: "string" },
    fresh: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const untilMs = (): number => performance.now() + Number(values.minutes ?? Infinity) * 60_000;
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

function readNotes(): readonly Note[] {
  if (!existsSync(RESULTS)) return [];
  const lines = readFileSync(RESULTS, "utf8").split("\n");
  return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Note]));
}

function folderOf(suite: Suite): string {
  return join(WORK_FOLDER, `${suite.name}-${seed}`);
}

async function runSuite(suite: Suite): Promise<Outcome> {
  const skipped = suite.missing();
  if (skipped !== null)
    return { suite: suite.name, trials: 0, ms: 0, tally: {}, faults: 0, skipped };
  const folder = folderOf(suite);
  const count = Number(values.count ?? suite.countDefault);
  const trials = await suite.prepare({ seed, count, folder, isFresh: values.fresh });
  const wanted = trials.filter(({ name }) => values.only === undefined || name === values.only);
  if (wanted.length === 0) throw new Error(`"${suite.name}" has no trial "${values.only}".`);
  const done = new Set(
    readNotes()
      .filter((note) => note.suite === suite.name && note.seed === seed && note.commit === commit)
      .filter(({ fault }) => fault === null)
      .map(({ trial }) => trial),
  );
  const end = untilMs();
  let tried = 0;
  for (const trial of wanted) {
    if (performance.now() > end) break;
    if (values.only === undefined && done.has(trial.name)) continue;
    const isWell = await runTrial(suite, trial, count);
    tried += 1;
    if (tried % 10 === 0 || !isWell) console.log(`${suite.name}: ${tried} of ${wanted.length}`);
  }
  return sum(suite.name);
}

async function runTrial(suite: Suite, trial: Trial, count: number): Promise<boolean> {
  const beganMs = performance.now();
  const note = (tally: Tally | null, fault: string | null): void => {
    const ms = Math.round(performance.now() - beganMs);
    const line: Note = { commit, suite: suite.name, seed, trial: trial.name, ms, tally, fault };
    appendFileSync(RESULTS, `${JSON.stringify(line)}\n`);
  };
  try {
    note(await trial.run(), null);
    return true;
  } catch (error) {
    note(null, String(error));
    const again = `npm run chaos -- ${suite.name} --seed ${seed} --count ${count} --only "${trial.name}"`;
    console.error(`${suite.name}: "${trial.name}" found something. To repeat it: ${again}`);
    console.error(error);
    return false;
  }
}

/** All that was noted of a suite with this seed at this commit; of a trial done twice the last. */
function sum(suite: string): Outcome {
  const last = new Map<string, Note>();
  for (const note of readNotes()) {
    if (note.suite !== suite || note.seed !== seed || note.commit !== commit) continue;
    last.set(note.trial, note);
  }
  const notes = [...last.values()];
  return {
    suite,
    trials: notes.length,
    ms: notes.reduce((total, { ms }) => total + ms, 0),
    tally: notes.reduce<Tally>((total, { tally }) => addTally(total, tally ?? {}), {}),
    faults: notes.filter(({ fault }) => fault !== null).length,
    skipped: null,
  };
}

function choose(): readonly Suite[] {
  for (const name of positionals) {
    if (SUITES.some((suite) => suite.name === name)) continue;
    const names = SUITES.map((suite) => suite.name).join(", ");
    throw new Error(`There is no suite "${name}"; there are: ${names}.`);
  }
  return SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
}

function describe({ suite, trials, ms, tally, faults, skipped }: Outcome): string {
  if (skipped !== null) return `${suite.padEnd(8)} skipped: ${skipped}`;
  const met = Object.entries(tally)
    .filter(([, count]) => count > 0)
    .map(([word, count]) => `${count} ${word}`);
  const seconds = Math.round(ms / 1_000);
  const head = `${suite.padEnd(8)} ${trials} trials, ${faults} violations, ${seconds} s`;
  return `${head}: ${met.join(", ")}`;
}

mkdirSync(WORK_FOLDER, { recursive: true });
const chosen = choose();
// All of them before anything is touched.
const releases = chosen.map((suite) => lockFolder(folderOf(suite)));
if (values.fresh) rmSync(RESULTS, { force: true });
const outcomes: Outcome[] = [];
for (const suite of chosen) {
  outcomes.push(await runSuite(suite));
}
for (const release of releases) release();
console.log(`commit ${commit}, seed ${seed}`);
for (const outcome of outcomes) console.log(describe(outcome));
process.exitCode = outcomes.some(({ faults }) => faults > 0) ? 1 : 0;
