// One file to a paper: its facts, the text of each page and its sentences. Equal bytes give an equal paper.
import { findPaperYear } from "./citation.ts";
import { removeRunningHeads, toLines } from "./page-text.ts";
import { readPdf } from "./pdf-file.ts";
import { collectWords, toPageText, toSentences } from "./prose.ts";
import type { Sentence } from "./prose.ts";

/** A paper as the review reads it. */
export interface Paper {
  /** The file's own title, or the first sentence's section when it has none; may be empty. */
  readonly title: string;
  readonly authors: string;
  readonly year: number | null;
  /** Text by page, running heads taken off. */
  readonly pages: readonly string[];
  readonly sentences: readonly Sentence[];
}

/** Reads a paper. Throws a PaperFault; a paper without any text is not a fault and has no sentences. */
export async function readPaper(
  bytes: Uint8Array,
  { name, asOf }: { readonly name: string; readonly asOf: number },
): Promise<Paper> {
  const { title, authors, madeYear, pages } = await readPdf(bytes, name);
  const bodies = removeRunningHeads(pages.map(toLines));
  const words = collectWords(bodies);
  const sentences = toSentences(bodies);
  const texts = sentences.map(({ text }) => text);
  return {
    title,
    authors,
    year: findPaperYear(texts, { madeYear, asOf }),
    pages: bodies.map((lines) => toPageText(lines, words)),
    sentences,
  };
}

/** Pages, from 1, on which a phrase stands, in any case and over any break. */
export function findPages(paper: Paper, phrase: string): number[] {
  const wanted = phrase.toLowerCase();
  return paper.pages.flatMap((text, index) =>
    text.toLowerCase().includes(wanted) ? [index + 1] : [],
  );
}
