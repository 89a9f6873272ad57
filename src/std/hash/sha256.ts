// SHA-256 (FIPS 180-4) of short texts without `node:crypto`, whose loading costs every start of a process 10 to
// 20 ms (measured on two shared cores, Node 24.21). A process that hashes much, or much at once, loads it after
// all: the native one is the faster once it is there.

/** Hashes of short texts that are made here before the native one is loaded. */
const OWN_HASHES_MAX = 64;
/** Bytes that are hashed here at most. */
const OWN_BYTES_MAX = 4_096;

let made = 0;
let native: ((bytes: Uint8Array | string) => string) | undefined;

/** SHA-256 in lower-case hexadecimal. Text is hashed as UTF-8. */
export function sha256(data: Uint8Array | string): string {
  if (native !== undefined) return native(data);
  made += 1;
  if (made <= OWN_HASHES_MAX && data.length <= OWN_BYTES_MAX) {
    return hashHere(typeof data === "string" ? Buffer.from(data, "utf8") : data);
  }
  const crypto = process.getBuiltinModule("node:crypto");
  native = (bytes) => crypto.hash("sha256", bytes, "hex");
  return native(data);
}

// Written down: working them out takes a start a millisecond.
/** First 32 bits of the fractional parts of the square roots of the first 8 primes. */
const START = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
/** The same of the cube roots of the first 64. */
const ROUND = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** The hash by hand. Exported for the test that compares it with the native one. */
export function hashHere(bytes: Uint8Array): string {
  const state = START.slice();
  const words = new Int32Array(64);
  const padded = pad(bytes);
  const view = new DataView(padded.buffer);
  for (let offset = 0; offset < padded.length; offset += 64) {
    for (let index = 0; index < 16; index += 1) words[index] = view.getInt32(offset + index * 4);
    mix(state, words);
  }
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** A one bit, zeros, and the length in bits at the end of a block of 64 bytes. */
function pad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x2000_0000));
  view.setUint32(padded.length - 4, (bytes.length * 8) >>> 0);
  return padded;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** One block. Signed words throughout: Node keeps those without allocating, also before it has compiled this. */
function mix(state: Int32Array, words: Int32Array): void {
  for (let t = 16; t < 64; t += 1) {
    const early = words[t - 15] ?? 0;
    const late = words[t - 2] ?? 0;
    const small = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const large = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[t] = (words[t - 16] ?? 0) + small + (words[t - 7] ?? 0) + large;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < 64; t += 1) {
    const sumOfE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = (h + sumOfE + choice + (ROUND[t] ?? 0) + (words[t] ?? 0)) | 0;
    const sumOfA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + sumOfA + majority) | 0;
  }
  const mixed = [a, b, c, d, e, f, g, h];
  for (let at = 0; at < mixed.length; at += 1) state[at] = (state[at] ?? 0) + (mixed[at] ?? 0);
}
