// A picture as the extractors see it: one number per pixel, equal colours are equal numbers. Made once from a
// decoded file, and kept packed between the stages, since unpacking is much cheaper than decoding again.
import { deflateSync, inflateSync } from "node:zlib";
import type { Bitmap } from "./bitmap.ts";
import type { Size } from "./fit.ts";

/** Pixels row by row. */
export interface Picture extends Size {
  /** 0xrrggbb where something can be seen, else `UNSEEN`. */
  readonly colors: Uint32Array;
}

/** Marks a pixel that nobody sees. Not a colour: those end at 0xffffff. */
export const UNSEEN = 0xffffffff;

/** From this alpha on a pixel counts as seen; below, its colour is an accident of the drawing program. */
const ALPHA_MIN = 128;

/** Reduces a bitmap to what can be seen. */
export function toPicture({ width, height, data }: Bitmap): Picture {
  const colors = new Uint32Array(width * height);
  for (let pixel = 0, at = 0; pixel < colors.length; pixel++, at += 4) {
    const isSeen = (data[at + 3] ?? 0) >= ALPHA_MIN;
    colors[pixel] = isSeen
      ? ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)
      : UNSEEN;
  }
  return { width, height, colors };
}

/** Bytes to store. Little-endian, as every machine that Node runs on. */
export function packPicture({ colors }: Picture): Uint8Array {
  const bytes = new Uint8Array(colors.buffer, colors.byteOffset, colors.byteLength);
  return new Uint8Array(deflateSync(bytes, { level: 1 }));
}

/** The picture of `size` that was packed. Throws when the bytes are damaged or of another size. */
export function unpackPicture(bytes: Uint8Array, { width, height }: Size): Picture {
  const raw = inflateSync(bytes, { maxOutputLength: width * height * 4 });
  if (raw.byteLength !== width * height * 4) {
    throw new Error(`${raw.byteLength} bytes are no picture of ${width} x ${height}`);
  }
  // A copy, because the buffer need not begin at a multiple of four.
  return { width, height, colors: new Uint32Array(new Uint8Array(raw).buffer) };
}

/** In drawn pages nine neighbours in ten are alike, in photographs hardly any. */
const ALIKE_SHARE_MIN = 0.2;

/** Whether hardly two pixels side by side are alike: then there are no boxes and no letters to look for. */
export function isPhotograph({ colors }: Picture): boolean {
  let alike = 0;
  for (let at = 1; at < colors.length; at++) if (colors[at] === colors[at - 1]) alike++;
  return alike < colors.length * ALIKE_SHARE_MIN;
}

/** "#rrggbb", lower case: the one spelling of a colour in every file this example writes. */
export function toHex(color: number): string {
  return `#${color.toString(16).padStart(6, "0")}`;
}

/** The number for "#rrggbb". */
export function fromHex(hex: string): number {
  return Number.parseInt(hex.slice(1), 16);
}
