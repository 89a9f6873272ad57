// Lines to sentences, each with its page and section. Words that were broken over lines are whole again, a
// sentence may go on over a page, and what is no prose (code, tables, formulas, references) is left out.
import type { Line } from "./page-text.ts";

/** One sentence, where it begins. */
export interface Sentence {
  readonly text: string;
  /** From 1. */
  readonly page: number;
  /** Heading of its section, empty before the first. */
  readonly section: string;
}

interface Paragraph {
  readonly lines: readonly (Line & { readonly page: number })[];
}

const NUMBERED = /^(?:\d+|[A-Z])(?:\.\d+)*\.\s+\p{Lu}/u;
const HEADING_LINES_MAX = 3;
const PLAIN_HEADINGS = /^(?:abstract|references|bibliography|acknowledge?ments?|summary)$/i;
const CITED_WORKS = /^(?:references|bibliography)$/i;

/** The sentences of a paper, in reading order. */
export function toSentences(pages: readonly (readonly Line[])[]): Sentence[] {
  const vocabulary = collectWords(pages);
  const bodySize = findBodySize(pages.flat());
  let section = "";
  return joinPages(pages.flatMap(toParagraphs)).flatMap((paragraph) => {
    const heading = findHeading(paragraph, bodySize);
    // What is large before the first heading is the title.
    if (heading !== undefined && (section !== "" || !heading.isPlain)) {
      section = heading.text;
      return [];
    }
    if (CITED_WORKS.test(section.replace(/^[\w.]+\.\s+/, ""))) return [];
    return splitParagraph(paragraph, vocabulary).map((sentence) => ({ ...sentence, section }));
  });
}

/** The whole text of a page, with broken words made whole: what a search by hand would look through. */
export function toPageText(lines: readonly Line[], vocabulary: ReadonlySet<string>): string {
  return lines.reduce((text, line) => joinLine(text, line.text, vocabulary), "");
}

/** Every word of a paper, in lower case; those that lines break are left out. */
export function collectWords(pages: readonly (readonly Line[])[]): ReadonlySet<string> {
  const words = pages.flatMap((lines) =>
    lines.flatMap(
      ({ text }) => text.toLowerCase().match(/[\p{L}\d]+(?:-[\p{L}\d]+)*(?!-$)/gu) ?? [],
    ),
  );
  return new Set(words);
}

/** Lines that stand close, in one size. Code begins a paragraph of its own. */
function toParagraphs(lines: readonly Line[], index: number): Paragraph[] {
  const paragraphs: Line[][] = [];
  let last: Line | undefined;
  for (const line of lines) {
    const isNext =
      last !== undefined &&
      Math.abs(line.size - last.size) < 0.6 &&
      last.y - line.y < 1.4 * line.size &&
      last.y > line.y &&
      isCode(line) === isCode(last) &&
      !NUMBERED.test(line.text);
    if (isNext) paragraphs.at(-1)?.push(line);
    else paragraphs.push([line]);
    last = line;
  }
  return paragraphs.map((own) => ({ lines: own.map((line) => ({ ...line, page: index + 1 })) }));
}

function isCode({ text }: Line): boolean {
  return /^(?:R>|>|\+ |\[\d+\]|\d{4}-\d\d-\d\d)/.test(text);
}

/** A paragraph that does not end goes on with the first of the next page, if that begins small. */
function joinPages(paragraphs: readonly Paragraph[]): Paragraph[] {
  const joined: Paragraph[] = [];
  for (const paragraph of paragraphs) {
    const last = joined.at(-1);
    if (last !== undefined && goesOn(last, paragraph)) {
      joined[joined.length - 1] = { lines: [...last.lines, ...paragraph.lines] };
    } else {
      joined.push(paragraph);
    }
  }
  return joined;
}

function goesOn(last: Paragraph, next: Paragraph): boolean {
  const [end, start] = [last.lines.at(-1), next.lines[0]];
  if (end === undefined || start === undefined || start.page !== end.page + 1) return false;
  return /[\p{L},-]$/u.test(end.text) && /^\p{Ll}/u.test(start.text) && !isCode(start);
}

/** A heading is known by its word, its number or its size; `isPlain` says: by its size alone. */
function findHeading(
  { lines }: Paragraph,
  bodySize: number,
): { readonly text: string; readonly isPlain: boolean } | undefined {
  const [first] = lines;
  if (first === undefined || lines.length > HEADING_LINES_MAX) return undefined;
  const text = lines.map((line) => line.text).join(" ");
  if (PLAIN_HEADINGS.test(text)) return { text, isPlain: false };
  const isLarge = first.size > 1.05 * bodySize;
  if (NUMBERED.test(first.text)) {
    const isShort = lines.length === 1 && !/[.:,;]$/.test(first.text);
    return isLarge || isShort ? { text, isPlain: false } : undefined;
  }
  return isLarge && /^\p{Lu}/u.test(text) ? { text, isPlain: true } : undefined;
}

/** The size of type that most letters of a paper have. */
function findBodySize(lines: readonly Line[]): number {
  const letters = new Map<number, number>();
  for (const { text, size } of lines) letters.set(size, (letters.get(size) ?? 0) + text.length);
  const [most] = [...letters].sort((one, other) => other[1] - one[1]);
  return most?.[0] ?? 0;
}

/** Joins two lines. The paper itself decides whether a hyphen at the end belongs to the word. */
function joinLine(text: string, next: string, vocabulary: ReadonlySet<string>): string {
  if (text === "") return next;
  const broken = /([\p{L}\d]+)-$/u.exec(text);
  const rest = /^[\p{L}\d]+/u.exec(next)?.[0];
  if (broken === null || rest === undefined) return `${text} ${next}`;
  const head = broken[1]?.toLowerCase() ?? "";
  const isWhole = vocabulary.has(`${head}${rest.toLowerCase()}`);
  const isCompound = !isWhole && vocabulary.has(`${head}-${rest.toLowerCase()}`);
  return isCompound || /^\p{Lu}/u.test(rest) ? text + next : text.slice(0, -1) + next;
}

const ABBREVIATION =
  /(?:\b(?:e\.g|i\.e|cf|vs|resp|etc|al|Fig|Figs|Sec|Eq|Tab|No|pp|Ch)|\b\p{Lu})\.$/u;

function splitParagraph(
  { lines }: Paragraph,
  vocabulary: ReadonlySet<string>,
): Omit<Sentence, "section">[] {
  let text = "";
  const breaks: { readonly at: number; readonly page: number }[] = [];
  for (const line of lines) {
    breaks.push({ at: text.length, page: line.page });
    text = joinLine(text, line.text, vocabulary);
  }
  return findSentences(text)
    .map(({ at, sentence }) => {
      // The last letter of the line before may be a hyphen that is gone: two places make up for it.
      const page = breaks.findLast((own) => own.at <= at + 2)?.page ?? 0;
      return { text: sentence, page };
    })
    .filter((own) => isProse(own.text));
}

/** Texts up to a full stop that ends a sentence, and where each begins. */
function findSentences(text: string): { readonly at: number; readonly sentence: string }[] {
  const found: { at: number; sentence: string }[] = [];
  let start = 0;
  for (const { index, 0: stop } of text.matchAll(/[.!?][)”’"]*(?=\s|$)/g)) {
    const end = index + stop.length;
    const sentence = text.slice(start, end);
    if (ABBREVIATION.test(sentence) && end < text.length) continue;
    found.push({ at: start, sentence: sentence.trim() });
    start = end;
  }
  return found;
}

const WORDS_MIN = 6;
const WORDS_MAX = 80;

/** A sentence says something in words: formulas, rows of numbers and lines of code do not. */
function isProse(text: string): boolean {
  const words = text.split(" ");
  if (words.length < WORDS_MIN || words.length > WORDS_MAX) return false;
  const plain = words.filter((word) => /^[(“"‘]?[\p{L}][\p{L}’'-]*[)”"’.,;:?!]*$/u.test(word));
  return (
    plain.length / words.length >= 0.7 &&
    /^[“"‘(]?[\p{L}\d]/u.test(text) &&
    !/R>|^Keywords:/.test(text)
  );
}
