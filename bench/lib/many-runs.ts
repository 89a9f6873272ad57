// A store as it is after long use: runs of ten pipelines with tags, most of them done, one in a hundred failed, as
// many wait for tomorrow.

import { input, openMillrace, pipeline, PermanentError, stage, type Pipeline } from "millrace";

const PIPELINES = 10;
const TAGS = 100;
const PER_CALL = 1_000;
/** One run in so many has failed, another one waits. */
const ODD_ONE_IN = 100;
/** One run in so many is known to who asks. */
const KNOWN_ONE_IN = 97;

interface ManyInput {
  readonly page: number;
  readonly fails: boolean;
}

const page = input<ManyInput>();
const read = stage("read", { needs: { page } }, ({ page: { page: number, fails } }) => {
  if (fails) throw new PermanentError(`Page ${number} is not there.`);
  return number;
});

/** The pipelines of such a store: `p0` to `p9`, of one stage each. */
export const MANY: readonly Pipeline<ManyInput, { readonly read: number }>[] = Array.from(
  { length: PIPELINES },
  (_, index) => pipeline(`p${index}`, { input: page, output: { read } }),
);

/** Makes the store; answers the ids of some of its runs, evenly spread. */
export async function makeManyRuns(path: string, runs: number): Promise<readonly string[]> {
  const known: string[] = [];
  const mill = await openMillrace({ store: `sqlite:${path}`, pipelines: MANY, concurrency: 1_000 });
  for (let at = 0; at < runs; at += PER_CALL) {
    const one = MANY[(at / PER_CALL) % PIPELINES];
    if (one === undefined) break;
    const entries = Array.from({ length: PER_CALL }, (_, index) => makeEntry(at + index));
    const { runs: made } = await mill.enqueue(one, entries);
    for (const [index, { run }] of made.entries()) {
      if ((at + index) % KNOWN_ONE_IN === 0) known.push(run.id);
    }
  }
  await mill.work({ drain: true, maxRuns: runs, concurrency: 256 });
  await mill.close();
  return known;
}

function makeEntry(number: number): {
  readonly key: string;
  readonly input: ManyInput;
  readonly tags: Readonly<Record<string, string>>;
  readonly delay?: "24h";
} {
  const rest = number % ODD_ONE_IN;
  return {
    key: `run-${number}`,
    input: { page: number, fails: rest === 1 },
    tags: { site: `s${number % TAGS}` },
    ...(rest === 2 ? { delay: "24h" } : {}),
  };
}
