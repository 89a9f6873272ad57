// What the downloads were to reach, and what they reached. Times come from the runs, so this is different every day;
// the manifest is not.
import { join } from "node:path";
import type { Gathered, Line } from "../manifest/gather.ts";
import { verifyFile } from "../store/verify-file.ts";

/** One target. */
export interface Target {
  readonly name: string;
  readonly aim: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const YIELD_MIN = 0.85;
const MEDIAN_MS_MAX = 3_000;
const SLOW_MS_MAX = 20_000;

/** All targets. Reads every file of the store once more. */
export async function measureTargets(out: string, { lines }: Gathered): Promise<readonly Target[]> {
  const succeeded = lines.filter(({ record }) => record.outcome === "succeeded");
  const wanted = lines.filter(({ record }) => record.outcome !== "skipped").length;
  const share = wanted === 0 ? 1 : succeeded.length / wanted;
  const times = succeeded.map(({ run }) => run.durationMs ?? 0).toSorted((a, b) => a - b);
  const corrupt = await countCorrupt(out, succeeded);
  const median = toQuantile(times, 0.5);
  const slow = toQuantile(times, 0.95);
  return [
    {
      name: "Yield, of what may be fetched",
      aim: `${YIELD_MIN * 100} % or more`,
      measured: `${(share * 100).toFixed(0)} %`,
      isMet: share >= YIELD_MIN,
    },
    {
      name: "Time to a document, half of them",
      aim: `${MEDIAN_MS_MAX / 1_000} s or less`,
      measured: `${(median / 1_000).toFixed(1)} s`,
      isMet: median <= MEDIAN_MS_MAX,
    },
    {
      name: "Time to a document, 95 of 100",
      aim: `${SLOW_MS_MAX / 1_000} s or less`,
      measured: `${(slow / 1_000).toFixed(1)} s`,
      isMet: slow <= SLOW_MS_MAX,
    },
    {
      name: "Files that are not what they were",
      aim: "none",
      measured: String(corrupt),
      isMet: corrupt === 0,
    },
  ];
}

async function countCorrupt(out: string, lines: readonly Line[]): Promise<number> {
  let corrupt = 0;
  for (const { record } of lines) {
    const { file, bytes, sha256 } = record;
    if (file === null || bytes === null || sha256 === null) continue;
    const expected = { type: "", bytes, sha256 };
    await verifyFile(join(out, file), expected).catch(() => corrupt++);
  }
  return corrupt;
}

/** The value that this share of the sorted values does not exceed; 0 without values. */
export function toQuantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
