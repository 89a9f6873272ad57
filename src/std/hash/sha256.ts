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

/** First 32 bits of the fractional parts of roots of the first primes: square roots, then cube roots. */
function rootBits(count: number, root: (prime: number) => number): Int32Array {
  const bits = new Int32Array(count);
  let found = 0;
  for (let candidate = 2; found < count; candidate += 1) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) {
      if (candidate % divisor === 0) isPrime = false;
    }
    if (!isPrime) continue;
    bits[found] = (root(candidate) % 1) * 0x1_0000_0000;
    found += 1;
  }
  return bits;
}

const START = rootBits(8, Math.sqrt);
const ROUND = rootBits(64, Math.cbrt);

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
