// Small pictures for tests: a ground, boxes on it, and corners as a renderer would draw them.
import type { Bitmap } from "./bitmap.ts";
import { fromHex, toPicture } from "./picture.ts";
import type { Picture } from "./picture.ts";

/** A box to paint. */
export interface PaintedBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly color: string;
  /** Corner radius in pixels, blended over 16 samples per pixel. Default 0. */
  readonly radius?: number;
}

/** An opaque picture of one colour, with boxes painted in order. */
export function paintBitmap(
  size: { readonly width: number; readonly height: number; readonly color: string },
  boxes: readonly PaintedBox[] = [],
): Bitmap {
  const { width, height } = size;
  const data = new Uint8Array(width * height * 4);
  const bitmap = { width, height, data };
  for (const box of [{ ...size, left: 0, top: 0 }, ...boxes]) paintBox(bitmap, box);
  return bitmap;
}

/** The same as the extractors see it. */
export function paintPicture(...drawing: Parameters<typeof paintBitmap>): Picture {
  return toPicture(paintBitmap(...drawing));
}

function paintBox(bitmap: Bitmap, box: PaintedBox): void {
  const color = fromHex(box.color);
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      const at = ((box.top + y) * bitmap.width + box.left + x) * 4;
      const share = coverPixel(box, x, y);
      for (const [channel, shift] of [16, 8, 0].entries()) {
        const under = bitmap.data[at + channel] ?? 0;
        const over = (color >> shift) & 255;
        bitmap.data[at + channel] = Math.round(under + (over - under) * share);
      }
      bitmap.data[at + 3] = 255;
    }
  }
}

/** Share of a pixel that lies inside the rounded box. */
function coverPixel({ width, height, radius = 0 }: PaintedBox, x: number, y: number): number {
  const inner = { x: Math.min(x, width - 1 - x), y: Math.min(y, height - 1 - y) };
  if (inner.x >= radius || inner.y >= radius) return 1;
  let inside = 0;
  for (let sample = 0; sample < 256; sample++) {
    const [dx, dy] = [inner.x + ((sample % 16) + 0.5) / 16, inner.y + ((sample >> 4) + 0.5) / 16];
    if (Math.hypot(radius - dx, radius - dy) <= radius || dx >= radius || dy >= radius) inside++;
  }
  return inside / 256;
}
