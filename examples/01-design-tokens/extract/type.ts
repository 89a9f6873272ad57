// Text sizes and which colour stands on which, from connected boxes. Letters are gathered into lines; the
// tallest strokes of a line are its capitals and ascenders, from which the font size follows.
import type { Picture } from "../image/picture.ts";
import { isPhotograph, toHex } from "../image/picture.ts";
import type { Glyph } from "./glyph.ts";
import { findGlyphs } from "./glyph.ts";
import type { Reading, TextFinding } from "./reading.ts";

type TypeReading = Extract<Reading, { kind: "type" }>;

/** Capitals and ascenders of common text faces reach 0.72 to 0.76 of the font size. */
const CAPITAL_SHARE = 0.74;
/** Shorter lines are icons, dots and stray marks. */
const GLYPHS_MIN = 4;
/** Letters of a line stand at most so many line heights apart. */
const GAP_MAX = 1.2;

/** The lines of text of one picture, gathered by size and colours, most letters first. */
export function extractType(picture: Picture): TypeReading {
  if (isPhotograph(picture)) return { kind: "type", texts: [] };
  const glyphs = findGlyphs(picture);
  const lines = gatherLines(glyphs).filter((line) => line.length >= GLYPHS_MIN);
  const texts = new Map<string, TextFinding>();
  for (const line of lines) {
    const finding = toFinding(line);
    const key = `${finding.sizePx} ${finding.ink} ${finding.ground}`;
    const known = texts.get(key);
    texts.set(key, {
      ...finding,
      lines: finding.lines + (known?.lines ?? 0),
      glyphs: finding.glyphs + (known?.glyphs ?? 0),
    });
  }
  const sorted = [...texts].sort(
    ([oneKey, one], [otherKey, other]) => other.glyphs - one.glyphs || (oneKey < otherKey ? -1 : 1),
  );
  return { kind: "type", texts: sorted.map(([, finding]) => finding) };
}

function gatherLines(glyphs: readonly Glyph[]): Glyph[][] {
  const lines: Glyph[][] = [];
  const sorted = [...glyphs].sort((one, other) => one.left - other.left || one.top - other.top);
  for (const glyph of sorted) {
    const line = lines.findLast((candidate) => isNext(candidate, glyph));
    if (line === undefined) lines.push([glyph]);
    else line.push(glyph);
  }
  return lines;
}

/** Same ground, at least half of the lower one's height in common, and not too far apart. */
function isNext(line: readonly Glyph[], glyph: Glyph): boolean {
  const last = line.at(-1);
  if (last === undefined || last.ground !== glyph.ground) return false;
  const tallest = line.reduce((best, other) => (heightOf(other) > heightOf(best) ? other : best));
  const shared = Math.min(tallest.bottom, glyph.bottom) - Math.max(tallest.top, glyph.top) + 1;
  const isLevel = shared >= Math.min(heightOf(tallest), heightOf(glyph)) * 0.6;
  const isAlike = heightOf(glyph) <= heightOf(tallest) * 2.2;
  return isLevel && isAlike && glyph.left - last.right <= heightOf(tallest) * GAP_MAX;
}

function heightOf(glyph: Glyph): number {
  return glyph.bottom - glyph.top + 1;
}

function toFinding(line: readonly Glyph[]): TextFinding {
  const stems = line.map((glyph) => glyph.stemPx).sort((one, other) => other - one);
  const tallest = stems[0] ?? 0;
  const capitals = stems.filter((stem) => stem >= tallest * 0.93);
  const capital = capitals[Math.floor(capitals.length / 2)] ?? tallest;
  return {
    sizePx: Math.round(capital / CAPITAL_SHARE),
    ink: toHex(findInk(line)),
    ground: toHex(line[0]?.ground ?? 0),
    lines: 1,
    glyphs: line.length,
  };
}

/** The ink that most letters agree on; thin ones, whose strokes are all blends, are outvoted. */
function findInk(line: readonly Glyph[]): number {
  const votes = new Map<number, number>();
  for (const { ink } of line) votes.set(ink, (votes.get(ink) ?? 0) + 1);
  const sorted = [...votes].sort(
    ([one, oneVotes], [other, otherVotes]) => otherVotes - oneVotes || one - other,
  );
  return sorted[0]?.[0] ?? 0;
}
