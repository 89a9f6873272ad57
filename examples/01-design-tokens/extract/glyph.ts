// Finds things that look like letters: small connected marks on an even ground. What an even ground is, is
// decided first: large areas of one exact colour. Everything else is a mark, edges and blends included, so
// that a letter is one piece even where it is a single blended pixel wide.
import type { Picture } from "../image/picture.ts";
import { UNSEEN } from "../image/picture.ts";
import type { Component, ComponentMap } from "./component.ts";
import { findComponents } from "./component.ts";

/** One mark on an even ground. */
export interface Glyph extends Component {
  /** Colour of the ground, 0xrrggbb. */
  readonly ground: number;
  /** The mark's colour that differs most from the ground, 0xrrggbb. */
  readonly ink: number;
  /** Height of its tallest upright stroke in pixels, with fractions: blended ends count in part. */
  readonly stemPx: number;
}

const GROUND_AREA_MIN = 600;
const GROUND_SIDE_MIN = 20;
/** Above this a ground may have any form: the page around its cards is a frame with little in its box. */
const GROUND_AREA_SURE = 6000;
const HEIGHT_MIN = 5;
const HEIGHT_MAX = 96;
const MARK = 1;

/** All letter-like marks, from top to bottom. */
export function findGlyphs(picture: Picture): Glyph[] {
  const grounds = findGrounds(picture);
  const keys = markPixels(picture, grounds);
  const marks = findComponents({ keys, width: picture.width, skip: 0, diagonal: true });
  const glyphs: Glyph[] = [];
  for (const [index, mark] of marks.components.entries()) {
    if (!hasGlyphSize(mark)) continue;
    const ground = findGroundColor(picture, mark, grounds);
    if (ground === undefined) continue;
    glyphs.push({ ...mark, ground, ...readInk(picture, mark, { index, marks, ground }) });
  }
  return glyphs;
}

function findGrounds({ colors, width }: Picture): ComponentMap {
  return findComponents({ keys: colors, width, skip: UNSEEN });
}

/** `MARK` for each pixel that can be seen and is not ground. */
function markPixels({ colors }: Picture, grounds: ComponentMap): Uint32Array {
  const marks = Uint32Array.from(grounds.components, (_, index) =>
    isGround(grounds, index) ? 0 : MARK,
  );
  const keys = new Uint32Array(colors.length);
  for (let at = 0; at < keys.length; at++) {
    if (colors[at] !== UNSEEN) keys[at] = marks[grounds.indexes[at] ?? 0] ?? 0;
  }
  return keys;
}

function isGround({ components }: ComponentMap, index: number): boolean {
  const area = components[index];
  if (area === undefined || area.area < GROUND_AREA_MIN) return false;
  const [width, height] = [area.right - area.left + 1, area.bottom - area.top + 1];
  // Half full: a large letter is a large area too, but leaves most of its box to the ground.
  const isFull = area.area >= width * height * 0.5 || area.area >= GROUND_AREA_SURE;
  return Math.min(width, height) >= GROUND_SIDE_MIN && isFull;
}

/** Bars and blocks are full from edge to edge; letters are not, unless they are as narrow as an "l". */
function hasGlyphSize(mark: Component): boolean {
  const [width, height] = [mark.right - mark.left + 1, mark.bottom - mark.top + 1];
  if (height < HEIGHT_MIN || height > HEIGHT_MAX || width > height * 2) return false;
  const isBlock = mark.area > width * height * 0.9;
  return !isBlock || width <= height * 0.45;
}

/** Share of the ring around a mark that must be ground; the rest may be the next letter. */
const RING_SHARE_MIN = 0.6;

/** The one colour around the mark, or undefined when it lies between several or on the rim. */
function findGroundColor(
  { width, height }: Picture,
  mark: Component,
  grounds: ComponentMap,
): number | undefined {
  if (mark.left === 0 || mark.top === 0) return undefined;
  if (mark.right + 1 === width || mark.bottom + 1 === height) return undefined;
  const ring = ringOf(mark, width);
  const around = ring
    .map((at) => grounds.indexes[at] ?? -1)
    .filter((index) => isGround(grounds, index));
  const [first] = around;
  if (first === undefined || around.length < ring.length * RING_SHARE_MIN) return undefined;
  return around.every((index) => index === first) ? grounds.components[first]?.key : undefined;
}

function ringOf(mark: Component, width: number): number[] {
  const ring: number[] = [];
  for (let x = mark.left - 1; x <= mark.right + 1; x++) {
    ring.push((mark.top - 1) * width + x, (mark.bottom + 1) * width + x);
  }
  for (let y = mark.top; y <= mark.bottom; y++) {
    ring.push(y * width + mark.left - 1, y * width + mark.right + 1);
  }
  return ring;
}

interface MarkView {
  readonly index: number;
  readonly marks: ComponentMap;
  readonly ground: number;
}

function readInk(
  picture: Picture,
  mark: Component,
  view: MarkView,
): { readonly ink: number; readonly stemPx: number } {
  const { colors, width } = picture;
  let [ink, contrast] = [view.ground, 0];
  const columns = new Float64Array(mark.right - mark.left + 1);
  for (let y = mark.top; y <= mark.bottom; y++) {
    for (let x = mark.left; x <= mark.right; x++) {
      const at = y * width + x;
      if (view.marks.indexes[at] !== view.index) continue;
      const color = colors[at] ?? view.ground;
      const here = measureDistance(color, view.ground);
      columns[x - mark.left] = (columns[x - mark.left] ?? 0) + here;
      if (here > contrast) [ink, contrast] = [color, here];
    }
  }
  return { ink, stemPx: contrast === 0 ? 0 : Math.max(...columns) / contrast };
}

/** Of the channel that differs most: exact for a blend of two colours, whatever they are. */
function measureDistance(one: number, other: number): number {
  return Math.max(
    Math.abs(((one >> 16) & 255) - ((other >> 16) & 255)),
    Math.abs(((one >> 8) & 255) - ((other >> 8) & 255)),
    Math.abs((one & 255) - (other & 255)),
  );
}
