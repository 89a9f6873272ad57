import { expect, test } from "vitest";
import type { Paper } from "../paper/read-paper.ts";
import { CLAIMS_PER_REQUIREMENT_MAX, findClaims, findTerms } from "./find-claims.ts";
import type { RequirementTree } from "./requirement.ts";

const TREE: RequirementTree = {
  title: "Reading",
  asOf: 2022,
  halfLifeYears: 10,
  pillars: [
    {
      id: "R",
      title: "Reading",
      requirements: [
        {
          id: "R1",
          title: "Text files",
          text: "Text files are read.",
          terms: ["read.zoo", "text file"],
        },
      ],
    },
  ],
};

function toPaper(...texts: readonly string[]): Paper {
  return {
    title: "A paper",
    authors: "",
    year: 2012,
    pages: ["R> read.zoo(x)", "nothing"],
    sentences: texts.map((text, index) => ({ text, page: 1 + (index % 2), section: "1. One" })),
  };
}

test("terms are whole words in any case, with the dots that belong to them", () => {
  const terms = ["read.zoo", "zoo", "text file"];
  expect(findTerms("Call Read.Zoo() now.", terms)).toEqual(["read.zoo"]);
  expect(findTerms("This is read.zoo.", terms)).toEqual(["read.zoo"]);
  expect(findTerms("A zooreg, a thread.zoo and text files.", terms)).toEqual([]);
  expect(findTerms("It ends with zoo.", terms)).toEqual(["zoo"]);
});

test("a sentence without a term is no claim, however much it shares with the requirement", () => {
  const paper = toPaper("All texts and all files are read here.", "Here read.zoo is called.");
  expect(findClaims(paper, TREE, "a.pdf")).toMatchObject([
    {
      requirement: "R1",
      paper: "a.pdf",
      page: 2,
      sentence: "Here read.zoo is called.",
      around: ["All texts and all files are read here."],
      terms: ["read.zoo"],
      hasCode: false,
      year: 2012,
    },
  ]);
});

test("the best come first, and a long paper has no more of them than a short one", () => {
  const weak = "Nothing but read.zoo in a rather long sentence about something else altogether.";
  const best = "A text file is read by read.zoo from other text files.";
  const claims = findClaims(toPaper(...Array.from({ length: 9 }, () => weak), best), TREE, "a.pdf");
  expect(claims).toHaveLength(CLAIMS_PER_REQUIREMENT_MAX);
  expect(claims[0]?.sentence).toBe(best);
});

test("a claim has the same id wherever its page is, and another in another paper", () => {
  const sentence = "Here read.zoo is called.";
  const [one] = findClaims(toPaper(sentence), TREE, "a.pdf");
  const [moved] = findClaims(toPaper("Something before all of it.", sentence), TREE, "a.pdf");
  const [other] = findClaims(toPaper(sentence), TREE, "b.pdf");
  expect(moved?.id).toBe(one?.id);
  expect(moved?.page).not.toBe(one?.page);
  expect(other?.id).not.toBe(one?.id);
});
