import { expect, test } from "vitest";
import type { Line } from "./page-text.ts";
import { collectWords, toPageText, toSentences } from "./prose.ts";

/** Lines below each other; an empty text leaves a gap, as between paragraphs. */
function page(...texts: readonly string[]): Line[] {
  return texts.flatMap((text, index) =>
    text === "" ? [] : [{ text, x: 72, y: 700 - index * 12, size: 10 }],
  );
}

function sentencesOf(...pages: readonly (readonly Line[])[]): string[] {
  return toSentences(pages).map(({ text }) => text);
}

test("a sentence over broken lines is whole, and the paper decides about its hyphens", () => {
  const lines = page(
    "These esti-",
    "mates are object-",
    "oriented and were called estimates once more.",
    "",
    "An object-oriented design is what this whole paper is about.",
  );
  expect(sentencesOf(lines)[0]).toBe(
    "These estimates are object-oriented and were called estimates once more.",
  );
  expect(toPageText(lines, collectWords([lines]))).toContain("These estimates are");
});

test("abbreviations and initials do not end a sentence", () => {
  const text = "See White et al. (1980), e.g. in the book by R. Koenker, for all of this.";
  expect(sentencesOf(page(text))).toEqual([text]);
});

test("a sentence goes on over the page and belongs to the one where it begins", () => {
  const sentences = toSentences([
    page("This sentence is long and begins on one", "page and goes on"),
    page("over the next page until it ends. Here begins one that is short."),
  ]);
  expect(sentences).toEqual([
    {
      text: "This sentence is long and begins on one page and goes on over the next page until it ends.",
      page: 1,
      section: "",
    },
    { text: "Here begins one that is short.", page: 2, section: "" },
  ]);
});

test("sentences know their section; code, formulas and the list of references are none", () => {
  const sentences = toSentences([
    page(
      "2.1. Creating series",
      "",
      "A series is created by a call of the constructor.",
      "",
      'R> z <- zoo(1:3, as.Date("2005-01-01"))',
      "",
      "2005-01-01 2005-01-02 2005-01-03 1 2 3 4 5 6 7.",
      "",
      "References",
      "",
      "White the author wrote this work about covariance in a journal.",
    ),
  ]);
  expect(sentences).toEqual([
    {
      text: "A series is created by a call of the constructor.",
      page: 1,
      section: "2.1. Creating series",
    },
  ]);
});

test("a line without a full stop is no sentence, and neither are a few words", () => {
  expect(sentencesOf(page("This line has many words but it does not end"))).toEqual([]);
  expect(sentencesOf(page("Far too short."))).toEqual([]);
});
