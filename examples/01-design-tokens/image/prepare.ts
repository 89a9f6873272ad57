// The first stage, without the engine: bytes of a file in, a picture that is safe and small enough for the
// extractors out, with what the report wants to know about it.
import { createHash } from "node:crypto";
import type { Bitmap } from "./bitmap.ts";
import { fitSize, shrink, SIZE_MAX, THUMBNAIL_SIZE_MAX } from "./fit.ts";
import type { Size } from "./fit.ts";
import type { Picture } from "./picture.ts";
import { toPicture } from "./picture.ts";
import { decodePng, encodePng } from "./png-file.ts";

/** What is known about a picture once it went through the door. */
export interface PreparedImage {
  /** Path inside the folder, with forward slashes. */
  readonly file: string;
  /** As found, before fitting. */
  readonly source: Size;
  readonly size: Size;
  readonly bytes: number;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** Share of pixels that can be seen, 0 to 1. */
  readonly seenShare: number;
  /** A small PNG for people. */
  readonly thumbnail: Uint8Array;
}

/** Prepares one file. Throws `ImageFault` when it is no readable PNG or breaks a limit. */
export function prepareImage(
  bytes: Uint8Array,
  file: string,
): { readonly image: PreparedImage; readonly picture: Picture } {
  const source = decodePng(bytes, file);
  const size = fitSize(source, SIZE_MAX);
  const fitted = shrink(source, size);
  const image: PreparedImage = {
    file,
    source: { width: source.width, height: source.height },
    size,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    seenShare: measureSeen(fitted),
    thumbnail: makeThumbnail(fitted),
  };
  return { image, picture: toPicture(fitted) };
}

function measureSeen(bitmap: Bitmap): number {
  let alpha = 0;
  for (let at = 3; at < bitmap.data.length; at += 4) alpha += bitmap.data[at] ?? 0;
  return alpha / 255 / (bitmap.width * bitmap.height);
}

function makeThumbnail(bitmap: Bitmap): Uint8Array {
  const small = shrink(bitmap, fitSize(bitmap, THUMBNAIL_SIZE_MAX));
  return encodePng(small, { opaque: measureSeen(small) === 1 });
}
