import { expect, test } from "vitest";
import { findCitations, findPaperYear } from "./citation.ts";

test("works are found in every form in which these papers cite", () => {
  const text =
    "See White (1980), Newey and West (1987), Grün, Kosmidis, and Zeileis (2012), (Lumley 1999b) " +
    "and R Core Team (2017), as Kleiber et al. (2008) say.";
  expect(findCitations(text).map(({ year }) => year)).toEqual([1980, 1987, 2012, 1999, 2017, 2008]);
});

test("a date, a version and a work cited twice are not works of their own", () => {
  expect(findCitations("In March 2005 and since Release 2012 all was well.")).toEqual([]);
  expect(findCitations("White (1980) and again (White 1980).")).toHaveLength(1);
});

test("the newest cited year counts, unless it lies in the future", () => {
  const texts = ["As White (1980) and Fox (2002) say.", "In Clarke (2061) it ends."];
  expect(findPaperYear(texts, { madeYear: 2010, asOf: 2022 })).toBe(2002);
  expect(findPaperYear([], { madeYear: 2010, asOf: 2022 })).toBe(2010);
  expect(findPaperYear([], { madeYear: null, asOf: 2022 })).toBeNull();
});
