// Boxes and how round their corners are. A box is a connected area of one exact colour with straight edges;
// the pixels missing in a corner are compared with those that a quarter circle of each radius leaves out.
import type { Picture } from "../image/picture.ts";
import { isPhotograph, UNSEEN } from "../image/picture.ts";
import type { Component } from "./component.ts";
import { findComponents } from "./component.ts";
import type { Reading } from "./reading.ts";
import { countLengths } from "./reading.ts";

type ShapeReading = Extract<Reading, { kind: "shape" }>;

/** Smaller things are letters, dots and lines. */
const SIDE_MIN = 16;
const RADIUS_MAX = 64;
/** Share of each edge that must be straight: letters and icons have less. */
const STRAIGHT_MIN = 0.5;
/** A box counts when at least this share of it has its colour; the rest is what stands in it. */
const FILL_MIN = 0.3;

/** Counts the corners of all boxes. Corners on the rim of the picture are not judged: they may be cut. */
export function extractShapes(picture: Picture): ShapeReading {
  if (isPhotograph(picture)) return { kind: "shape", boxes: 0, corners: [], pills: 0 };
  const { components, indexes } = findComponents({
    keys: picture.colors,
    width: picture.width,
    skip: UNSEEN,
  });
  const corners: number[] = [];
  let [boxes, pills] = [0, 0];
  for (const [index, box] of components.entries()) {
    if (!isLarge(box)) continue;
    const view = makeView(box, (x, y) => indexes[y * picture.width + x] === index);
    const isBox = hasStraightEdges(box, view);
    if (isPill(box, view)) pills++;
    else if (isBox) corners.push(...measureCorners(box, view, picture));
    else continue;
    boxes++;
  }
  return { kind: "shape", boxes, corners: countLengths(corners), pills };
}

function isLarge(box: Component): boolean {
  const { width, height } = sizeOf(box);
  return Math.min(width, height) >= SIDE_MIN && box.area >= width * height * FILL_MIN;
}

function sizeOf(box: Component): { readonly width: number; readonly height: number } {
  return { width: box.right - box.left + 1, height: box.bottom - box.top + 1 };
}

interface Corner {
  readonly fromLeft: boolean;
  readonly fromTop: boolean;
}

const CORNERS: readonly Corner[] = [
  { fromLeft: true, fromTop: true },
  { fromLeft: false, fromTop: true },
  { fromLeft: true, fromTop: false },
  { fromLeft: false, fromTop: false },
];

/** Whether a pixel is the box's own, counted from a corner: so many columns across, so many rows down. */
type BoxView = (corner: Corner, across: number, down: number) => boolean;

function makeView(box: Component, isOwn: (x: number, y: number) => boolean): BoxView {
  return ({ fromLeft, fromTop }, across, down) =>
    isOwn(
      fromLeft ? box.left + across : box.right - across,
      fromTop ? box.top + down : box.bottom - down,
    );
}

function hasStraightEdges(box: Component, view: BoxView): boolean {
  const { width, height } = sizeOf(box);
  const lacking = CORNERS.flatMap((corner) => {
    let [across, down] = [0, 0];
    while (across < width && !view(corner, across, 0)) across++;
    while (down < height && !view(corner, 0, down)) down++;
    return [across / width, down / height];
  });
  return lacking.every((share) => share <= (1 - STRAIGHT_MIN) / 2 + 0.01);
}

/**
 * Whether both ends are half circles. Their outermost columns are blended and belong to no box, so the box
 * may be a pixel smaller than the shape in either direction.
 */
function isPill(box: Component, view: BoxView): boolean {
  const { width, height } = sizeOf(box);
  const reach = Math.floor(Math.min(width, height) / 2);
  const measured = CORNERS.map((corner) => countMissing(view.bind(null, corner), reach));
  return [0, 0.5, 1].some((grown) =>
    [0, 1].some((lost) => {
      const radius = Math.min(width, height) / 2 + grown;
      const down = grown === 0 ? 0 : 1;
      const expected = countMissing((x, y) => isInside(x + lost, y + down, radius), reach);
      return measured.every((count) => Math.abs(count - expected) <= 1 + expected * 0.06);
    }),
  );
}

function measureCorners(box: Component, view: BoxView, picture: Picture): number[] {
  const { width, height } = sizeOf(box);
  const reach = Math.floor(Math.min(width, height) / 2);
  return CORNERS.filter(({ fromLeft, fromTop }) => {
    const onSide = fromLeft ? box.left === 0 : box.right === picture.width - 1;
    const onEnd = fromTop ? box.top === 0 : box.bottom === picture.height - 1;
    return !onSide && !onEnd;
  })
    .map((corner) => measureRadius(view.bind(null, corner), reach))
    .filter((radius) => radius !== undefined);
}

/** Pixels that a quarter circle does not cover completely, for each radius. */
const MISSING_BY_RADIUS: readonly number[] = Array.from({ length: RADIUS_MAX + 1 }, (_, radius) =>
  countMissing((across, down) => isInside(across, down, radius), radius),
);

function isInside(across: number, down: number, radius: number): boolean {
  if (across >= radius || down >= radius) return true;
  // A little slack: renderers round a coverage of 254.6 / 255 up to a full pixel.
  return (radius - across) ** 2 + (radius - down) ** 2 <= (radius + 0.06) ** 2;
}

/** Pixels between the corner and the first own pixel of each row, until a row starts at the edge. */
function countMissing(view: (across: number, down: number) => boolean, reach: number): number {
  let missing = 0;
  for (let down = 0; down < reach; down++) {
    let across = 0;
    while (across < reach && !view(across, down)) across++;
    if (across === 0) return missing;
    missing += across;
  }
  return missing;
}

/** The radius whose quarter circle misses as many pixels. Undefined when no circle does. */
function measureRadius(
  view: (across: number, down: number) => boolean,
  reach: number,
): number | undefined {
  const missing = countMissing(view, Math.min(reach, RADIUS_MAX));
  let best = 0;
  for (const [radius, expected] of MISSING_BY_RADIUS.entries()) {
    const gain = Math.abs(expected - missing) - Math.abs((MISSING_BY_RADIUS[best] ?? 0) - missing);
    if (gain < 0) best = radius;
  }
  const off = Math.abs((MISSING_BY_RADIUS[best] ?? 0) - missing);
  return off <= 2 + best / 2 && best <= reach + 1 ? best : undefined;
}
