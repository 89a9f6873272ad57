// Suite "flips": copies of a store with one byte changed, in one page after the other. Each is refused or reported,
// or gives what it gave; no wrong result is a success, and nothing hangs. A trial is a number of copies, which
// another process reads.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSeededRandom } from "../../src/std/random.ts";
import { runChild } from "./child.ts";
import type { FlipJob } from "./flip-program.ts";
import { makePassages, Scene, wantedOf } from "./scene.ts";
import { removeFolder, type Suite, type Tally, type Trial } from "./suite.ts";

const PROGRAM = join(import.meta.dirname, "flip-program.ts");
const COPIES_PER_TRIAL = 25;
const PAGE_BYTES = 4096;
const ENDED = 3;
const QUEUED = 2;
const ITEMS = 4;

interface Original {
  readonly folder: string;
  readonly bytes: Buffer;
  readonly scene: Scene;
  readonly wanted: Readonly<Record<string, string>>;
}

/** A store with runs that have ended, and runs that wait in their queue. */
async function makeOriginal(folder: string, seed: number): Promise<Original> {
  const scene = new Scene(join(folder, "original"));
  const passages = makePassages(`f${seed}`, ENDED + QUEUED, ITEMS);
  await scene.enqueue(passages.slice(0, ENDED));
  await scene.drain();
  await scene.enqueue(passages.slice(ENDED));
  const mill = await scene.open({ mode: "read" });
  const { runs } = await mill.runs({ limit: 500 });
  await mill.close();
  const wanted: Record<string, string> = {};
  for (const { id, key } of runs) {
    const passage = passages.find(({ salt }) => salt === key);
    assert.ok(passage !== undefined);
    wanted[id] = JSON.stringify((await wantedOf(passage)).outputs);
  }
  return { folder, bytes: readFileSync(scene.store), scene, wanted };
}

async function flipSome(original: Original, first: number, seed: number): Promise<Tally> {
  const pages = original.bytes.length / PAGE_BYTES;
  const folder = join(original.folder, `copies-${first}`);
  const copies = Array.from({ length: COPIES_PER_TRIAL }, (_, index) => {
    const number = first + index;
    const random = makeSeededRandom(seed * 1_000_000 + number);
    const at = (number % pages) * PAGE_BYTES + Math.floor(random.float() * PAGE_BYTES);
    const mask = 1 + Math.floor(random.float() * 255);
    const store = join(folder, String(number), "store");
    mkdirSync(store, { recursive: true });
    cpSync(join(original.scene.folder, "store", "blobs"), join(store, "blobs"), {
      recursive: true,
    });
    const bytes = Buffer.from(original.bytes);
    bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
    writeFileSync(join(store, "store.db"), bytes);
    return { store: join(store, "store.db"), place: `${number}:byte-${at}-xor-${mask}` };
  });
  const job: FlipJob = { copies, wanted: original.wanted };
  const { code, signal, said, stderr } = await runChild(job, { program: PROGRAM });
  assert.equal(code, 0, `a copy ended its reader (${signal}) after ${said.length}: ${stderr}`);
  assert.equal(said.length, COPIES_PER_TRIAL);
  const bad = said.filter(({ word }) => !["right", "refused", "reported"].includes(word));
  assert.deepEqual(bad, [], stderr);
  removeFolder(folder);
  const tally: Record<string, number> = { copies: said.length };
  for (const { word } of said) tally[word] = (tally[word] ?? 0) + 1;
  return tally;
}

export const flips: Suite = {
  name: "flips",
  countDefault: 4,
  missing: () => null,
  async prepare({ seed, count, folder }): Promise<readonly Trial[]> {
    removeFolder(folder);
    const original = await makeOriginal(folder, seed);
    return Array.from({ length: count }, (_, index) => ({
      name: `copies ${index * COPIES_PER_TRIAL} to ${(index + 1) * COPIES_PER_TRIAL - 1}`,
      run: () => flipSome(original, index * COPIES_PER_TRIAL, seed),
    }));
  },
};
