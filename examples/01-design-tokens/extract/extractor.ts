// One door to the four extractors, so that a stage can run any of them by name.
import type { Picture } from "../image/picture.ts";
import { extractColors } from "./color.ts";
import type { Extractor, Reading } from "./reading.ts";
import { extractShapes } from "./shape.ts";
import { extractSpacing } from "./spacing.ts";
import { extractType } from "./type.ts";

/** Looks at a picture in one way. Equal pictures give equal readings. */
export function readImage(picture: Picture, extractor: Extractor): Reading {
  switch (extractor) {
    case "color":
      return { kind: "color", colors: extractColors(picture) };
    case "spacing":
      return extractSpacing(picture);
    case "shape":
      return extractShapes(picture);
    case "type":
      return extractType(picture);
  }
}
