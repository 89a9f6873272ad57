// Suite "flips": copies of a store with one byte changed: of every second one a byte of one page after the other, of
// the others one of an input or an output, which is where a wrong one would go unseen. Each is refused or reported,
// or gives what it gave; no wrong result is a success, and nothing hangs. A trial is a number of copies, which
// another process reads.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSeededRandom, type Random } from "../../src/std/random.ts";
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
  /** Places of bytes that are in an input or an output. */
  readonly values: readonly number[];
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
  const bytes = readFileSync(scene.store);
  const values: number[] = [];
  for (const { id, key } of runs) {
    const passage = passages.find(({ salt }) => salt === key);
    assert.ok(passage !== undefined);
    const { outputs } = await wantedOf(passage);
    wanted[id] = JSON.stringify(outputs);
    values.push(...placesOf(bytes, JSON.stringify(passage)));
    values.push(...placesOf(bytes, JSON.stringify(outputs.end)));
  }
  assert.ok(values.length > 0, "no value was found in the file");
  return { folder, bytes, scene, wanted, values };
}

/** Places of every byte of a text in a file that holds it. */
function placesOf(bytes: Buffer, text: string): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1))
    for (let offset = 0; offset < text.length; offset += 1) places.push(at + offset);
  return places;
}

/** Which byte of a copy is changed, and how: one of a value stays a letter or a digit, mostly. */
function choose(original: Original, number: number, random: Random): { at: number; mask: number } {
  const { values, bytes } = original;
  if (number % 2 === 1)
    return { at: values[Math.floor(random.float() * values.length)] ?? 0, mask: 1 };
  const page = (number / 2) % (bytes.length / PAGE_BYTES);
  return {
    at: page * PAGE_BYTES + Math.floor(random.float() * PAGE_BYTES),
    mask: 1 + Math.floor(random.float() * 255),
  };
}

async function flipSome(original: Original, first: number, seed: number): Promise<Tally> {
  const folder = join(original.folder, `copies-${first}`);
  const copies = Array.from({ length: COPIES_PER_TRIAL }, (_, index) => {
    const number = first + index;
    const random = makeSeededRandom(seed * 1_000_000 + number);
    const { at, mask } = choose(original, number, random);
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
