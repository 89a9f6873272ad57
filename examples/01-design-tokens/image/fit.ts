// Makes a picture smaller, never larger: each new pixel is the mean of the area it covers, weighted by
// alpha, so that hidden colours do not bleed into visible edges and flat areas keep their exact colour.
import type { Bitmap } from "./bitmap.ts";

/** A width and a height, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What the extractors get at most. */
export const SIZE_MAX: Size = { width: 1920, height: 1080 };

/** What the report shows at most. */
export const THUMBNAIL_SIZE_MAX: Size = { width: 272, height: 204 };

/** The largest size of the same shape inside `max`; a picture that fits keeps its own. */
export function fitSize(size: Size, max: Size): Size {
  const scale = Math.min(1, max.width / size.width, max.height / size.height);
  return {
    width: Math.max(1, Math.round(size.width * scale)),
    height: Math.max(1, Math.round(size.height * scale)),
  };
}

/** The picture at `size`, which must not exceed its own in either direction. */
export function shrink(bitmap: Bitmap, size: Size): Bitmap {
  if (size.width === bitmap.width && size.height === bitmap.height) return bitmap;
  const [columns, rows] = [
    makeSpans(bitmap.width, size.width),
    makeSpans(bitmap.height, size.height),
  ];
  const row = new Float64Array((size.width + 1) * 4);
  const sums = new Float64Array((size.height + 1) * size.width * 4);
  for (let y = 0; y < bitmap.height; y++) {
    shrinkRow(bitmap, y, { columns, row });
    const start = (rows.first[y] ?? 0) * size.width * 4;
    const share = rows.share[y] ?? 0;
    addRow(sums, row, { start, weight: share, length: size.width * 4 });
    const rest = rows.rest[y] ?? 0;
    addRow(sums, row, { start: start + size.width * 4, weight: rest, length: size.width * 4 });
  }
  return { ...size, data: toBytes(sums.subarray(0, size.width * size.height * 4)) };
}

/** For each old position in one direction: the new one it falls into, how much, and what the next gets. */
interface Spans {
  readonly first: Int32Array;
  readonly share: Float64Array;
  readonly rest: Float64Array;
}

function makeSpans(from: number, to: number): Spans {
  const first = Int32Array.from({ length: from }, (_, index) => Math.floor((index * to) / from));
  const share = Float64Array.from(first, (target, index) => {
    const [start, end] = [(index * to) / from, ((index + 1) * to) / from];
    return Math.min(end, target + 1) - start;
  });
  // What is left is rounding error when an old position ends where a new one does.
  const rest = share.map((part) => (to / from - part > 1e-9 ? to / from - part : 0));
  return { first, share, rest };
}

/** One old row, narrowed and premultiplied, into `row`. */
function shrinkRow(
  { data, width }: Bitmap,
  y: number,
  { columns, row }: { readonly columns: Spans; readonly row: Float64Array },
): void {
  row.fill(0);
  for (let x = 0; x < width; x++) {
    const at = (y * width + x) * 4;
    const target = (columns.first[x] ?? 0) * 4;
    addPixel(row, target, { data, at, weight: columns.share[x] ?? 0 });
    const rest = columns.rest[x] ?? 0;
    if (rest > 0) addPixel(row, target + 4, { data, at, weight: rest });
  }
}

function addPixel(
  row: Float64Array,
  target: number,
  pixel: { readonly data: Uint8Array; readonly at: number; readonly weight: number },
): void {
  const { data, at } = pixel;
  const share = pixel.weight * (data[at + 3] ?? 0);
  row[target] = (row[target] ?? 0) + (data[at] ?? 0) * share;
  row[target + 1] = (row[target + 1] ?? 0) + (data[at + 1] ?? 0) * share;
  row[target + 2] = (row[target + 2] ?? 0) + (data[at + 2] ?? 0) * share;
  row[target + 3] = (row[target + 3] ?? 0) + share;
}

function addRow(
  sums: Float64Array,
  row: Float64Array,
  target: { readonly start: number; readonly weight: number; readonly length: number },
): void {
  const { start, weight, length } = target;
  if (weight === 0) return;
  for (let index = 0; index < length; index++) {
    sums[start + index] = (sums[start + index] ?? 0) + (row[index] ?? 0) * weight;
  }
}

function toBytes(sums: Float64Array): Uint8Array {
  const data = new Uint8Array(sums.length);
  for (let at = 0; at < sums.length; at += 4) {
    const alpha = sums[at + 3] ?? 0;
    if (alpha < 0.5) continue;
    for (let channel = 0; channel < 3; channel++) {
      data[at + channel] = Math.round((sums[at + channel] ?? 0) / alpha);
    }
    data[at + 3] = Math.round(alpha);
  }
  return data;
}
