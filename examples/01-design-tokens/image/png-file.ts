// The door for outside bytes: from a file of any content to a bitmap, or to an `ImageFault` that says which
// limit it broke. Size, magic bytes and the declared dimensions are checked before a single pixel is
// unpacked, so that neither a huge file nor a small one that unpacks to gigabytes costs memory.
import { PNG } from "pngjs";
import type { Bitmap } from "./bitmap.ts";

/** Largest file that is opened: 10 MB. */
export const FILE_BYTES_MAX: number = 10 * 1024 * 1024;

/** Largest picture that is unpacked: 50 million pixels, 200 MB while it is open. */
const PIXELS_MAX = 50_000_000;

const MAGIC = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A picture that will never be readable, however often it is tried. The message names file and reason. */
export class ImageFault extends Error {
  override readonly name = "ImageFault";
}

/** Unpacks a PNG. `name` stands in the message. Throws `ImageFault` for whatever is wrong with the bytes. */
export function decodePng(bytes: Uint8Array, name: string): Bitmap {
  assertBytes(bytes.length, name);
  assertMagic(bytes, name);
  assertDimensions(bytes, name);
  try {
    const png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return { width: png.width, height: png.height, data: png.data };
  } catch (error) {
    throw new ImageFault(`"${name}" ${describeDamage(bytes, error)}`, { cause: error });
  }
}

/** A PNG ends with an empty chunk of this name; a download that broke off does not. */
const END_MARK = "IEND";

function describeDamage(bytes: Uint8Array, error: unknown): string {
  const end = Buffer.from(bytes.subarray(-12)).toString("latin1");
  if (!end.includes(END_MARK)) {
    return `is cut off: it begins like a PNG, and breaks off after ${bytes.length} bytes`;
  }
  return `is a damaged PNG: ${error instanceof Error ? error.message : String(error)}`;
}

/** The same limit for a file that was only measured. Throws `ImageFault`. */
export function assertBytes(bytes: number, name: string): void {
  if (bytes <= FILE_BYTES_MAX) return;
  const size = (bytes / 1024 / 1024).toFixed(1);
  throw new ImageFault(`"${name}" is too large: ${size} MB, at most 10 MB are read`);
}

function assertMagic(bytes: Uint8Array, name: string): void {
  if (MAGIC.every((byte, index) => bytes[index] === byte)) return;
  const start = JSON.stringify(Buffer.from(bytes.subarray(0, 16)).toString("latin1"));
  throw new ImageFault(`"${name}" is not a PNG, whatever its name says: it begins with ${start}`);
}

function assertDimensions(bytes: Uint8Array, name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 24) throw new ImageFault(`"${name}" ends before its header`);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width > 0 && height > 0 && width * height <= PIXELS_MAX) return;
  throw new ImageFault(
    `"${name}" declares ${width} x ${height} pixels, expected 1 to ${PIXELS_MAX} in all`,
  );
}

/** Packs a bitmap; the same pixels always give the same bytes. `opaque` drops the alpha channel. */
export function encodePng(bitmap: Bitmap, options: { readonly opaque?: boolean } = {}): Uint8Array {
  const png = new PNG({ width: bitmap.width, height: bitmap.height });
  png.data = Buffer.from(bitmap.data.buffer, bitmap.data.byteOffset, bitmap.data.byteLength);
  const colorType = options.opaque === true ? 2 : 6;
  return new Uint8Array(PNG.sync.write(png, { deflateLevel: 9, colorType }));
}
