// One door to the four extractors, so that a stage can run any of them by name.
import type { Bitmap } from "../image/bitmap.ts";
import { extractColors } from "./color.ts";
import type { Extractor, Reading } from "./reading.ts";
import { extractShapes } from "./shape.ts";
import { extractSpacing } from "./spacing.ts";
import { extractType } from "./type.ts";

/** Looks at a picture in one way. Equal pictures give equal readings. */
export function readImage(bitmap: Bitmap, extractor: Extractor): Reading {
  switch (extractor) {
    case "color":
      return { kind: "color", colors: extractColors(bitmap) };
    case "spacing":
      return extractSpacing(bitmap);
    case "shape":
      return extractShapes(bitmap);
    case "type":
      return extractType(bitmap);
  }
}
