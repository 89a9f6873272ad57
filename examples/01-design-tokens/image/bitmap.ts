// The picture as the extractors see it: plain bytes and three questions about them. Reading and writing
// files is left to png-file.ts.

/** RGBA, 8 bits per channel, not premultiplied, row by row. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Marks a pixel that nobody sees in the result of `packColors`. Not a colour: those end at 0xffffff. */
export const UNSEEN = 0xffffffff;

/** From this alpha on a pixel counts as seen; below, its colour is an accident of the drawing program. */
const ALPHA_MIN = 128;

/** One number per pixel: 0xrrggbb where it can be seen, else `UNSEEN`. Equal colours are equal numbers. */
export function packColors(bitmap: Bitmap): Uint32Array {
  const { data } = bitmap;
  const packed = new Uint32Array(bitmap.width * bitmap.height);
  for (let pixel = 0, at = 0; pixel < packed.length; pixel++, at += 4) {
    const seen = (data[at + 3] ?? 0) >= ALPHA_MIN;
    packed[pixel] = seen ? packRgb(data, at) : UNSEEN;
  }
  return packed;
}

function packRgb(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
}

/** "#rrggbb", lower case: the one spelling of a colour in every file this example writes. */
export function toHex(packed: number): string {
  return `#${packed.toString(16).padStart(6, "0")}`;
}

/** The number of `packColors` for "#rrggbb". */
export function fromHex(hex: string): number {
  return Number.parseInt(hex.slice(1), 16);
}
