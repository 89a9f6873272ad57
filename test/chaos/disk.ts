// Suite "disk": a queue is worked on a disk of 8 MiB until it is full. The work stands still and nothing fails; when
// there is room again everything ends as it should.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeSeededRandom } from "../../src/std/random.ts";
import { runChild } from "./child.ts";
import type { DiskJob } from "./disk-program.ts";
import { makePassages } from "./scene.ts";
import { removeFolder, type Suite, type Tally, type Trial } from "./suite.ts";

const PROGRAM = join(import.meta.dirname, "disk-program.ts");
const DISK_BYTES = 8 * 1024 * 1024;
/** Room that is left for the store and its blobs while the ballast is there: for some of the runs. */
const ROOM_BYTES_MIN = 1_500_000;
const ROOM_BYTES_MAX = 3_500_000;
/** Together less than the disk holds, once the ballast is gone. */
const RUNS = 9;
const ITEMS = 4;

interface Told {
  /** Runs that had ended when the work stood still; -1: it never did. */
  readonly pausedAt: number;
  readonly ended: number;
  readonly bad: readonly string[];
  readonly wrong: readonly string[];
}

async function fillDisk(folder: string, seed: number): Promise<Tally> {
  const disk = join(folder, "disk");
  mkdirSync(disk, { recursive: true });
  const share = makeSeededRandom(seed).float();
  const room = ROOM_BYTES_MIN + share * (ROOM_BYTES_MAX - ROOM_BYTES_MIN);
  const job: DiskJob = {
    store: join(disk, "store.db"),
    effects: join(folder, "effects.jsonl"),
    passages: makePassages(`d${seed}`, RUNS, ITEMS),
    ballastBytes: Math.floor(DISK_BYTES - room),
  };
  const mount = `mount -t tmpfs -o size=${DISK_BYTES} none "$0" && exec "$@"`;
  const under = ["unshare", "-Urm", "sh", "-c", mount, disk];
  const { code, said, stderr } = await runChild(job, { program: PROGRAM, under });
  assert.equal(code, 0, stderr);
  const told = JSON.parse(said[0]?.word ?? "") as Told;
  assert.ok(told.pausedAt >= 0, `the work never stood still: ${JSON.stringify(told)}`);
  assert.deepEqual([told.bad, told.wrong, told.ended], [[], [], RUNS], JSON.stringify(told));
  removeFolder(folder);
  return { "full disks": 1, "runs before": told.pausedAt, runs: told.ended };
}

export const disk: Suite = {
  name: "disk",
  countDefault: 2,
  missing: () => {
    const tried = spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]);
    return tried.status === 0 ? null : "there are no user namespaces to mount a small disk in";
  },
  async prepare({ seed, count, folder }): Promise<readonly Trial[]> {
    removeFolder(folder);
    return Array.from({ length: count }, (_, index) => ({
      name: `disk ${index}`,
      run: () => fillDisk(join(folder, String(index)), seed * 10_000 + index),
    }));
  },
};
