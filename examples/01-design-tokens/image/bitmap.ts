// A picture as files hold it. What the extractors get is a `Picture`.

/** RGBA, 8 bits per channel, not premultiplied, row by row. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
