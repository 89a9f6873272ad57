// Dice as an argument. The system's are good for ids and jitter; the seeded ones give the same throws for
// the same seed on every machine, and are not fit for secrets.

import { closeSync, openSync, readSync } from "node:fs";

/** Where chance comes from. */
export interface Random {
  /** Evenly spread in [0, 1), with 53 bits. */
  float(): number;
  /** `count` fresh bytes, owned by the caller. */
  bytes(count: number): Uint8Array;
}

// Asking the kernel costs a microsecond or two a call, so small requests are cut from a pool.
const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let poolUsed = POOL_BYTES;

/** From the kernel's own device: loading `node:crypto` costs a start of the command 10 ms, and gives the same. */
function fill(bytes: Uint8Array): Uint8Array {
  let device: number;
  try {
    device = openSync("/dev/urandom", "r");
  } catch {
    return process.getBuiltinModule("node:crypto").randomFillSync(bytes); // platforms without the device
  }
  try {
    for (let done = 0; done < bytes.length;) done += readSync(device, bytes, { offset: done });
    return bytes;
  } finally {
    closeSync(device);
  }
}

function systemBytes(count: number): Uint8Array {
  if (count > POOL_BYTES) return fill(new Uint8Array(count));
  if (poolUsed + count > POOL_BYTES) {
    fill(pool);
    poolUsed = 0;
  }
  const start = poolUsed;
  poolUsed += count;
  return pool.slice(start, poolUsed);
}

/** The machine's own dice. Bytes are fit for ids and tokens, `float` for jitter only. */
export const systemRandom: Random = { float: () => Math.random(), bytes: systemBytes };

/** Dice that repeat: the same seed, any finite number, gives the same throws for ever (sfc32). */
export function makeSeededRandom(seed: number): Random {
  const next = makeSfc32(seed);
  return {
    // 27 and 26 bits make the 53 that a double holds.
    float: () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000,
    bytes: (count) => {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; at += 4) {
        const word = next();
        for (let index = 0; index < 4 && at + index < count; index++) {
          bytes[at + index] = word >>> (index * 8);
        }
      }
      return bytes;
    },
  };
}

/** sfc32: 128 bits of state, a counter for the least period, and no known bias. */
function makeSfc32(seed: number): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / 0x100000000) | 0;
  let c = Math.floor((seed - Math.floor(seed)) * 0x100000000) | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // Seeds that differ in one bit differ everywhere after a dozen rounds.
  for (let round = 0; round < 16; round++) next();
  return next;
}
