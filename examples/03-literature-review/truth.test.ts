// The reader against what is known of eight real papers: how many pages each has, and on which of them a term
// stands. The pages were found with pdftotext, which shares no code with the library; where it is installed it
// is asked again.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { findPages, readPaper } from "./paper/read-paper.ts";
import type { Paper } from "./paper/read-paper.ts";
import { findClaims } from "./review/find-claims.ts";
import { parseRequirements } from "./review/requirement.ts";

const PAPERS = join(import.meta.dirname, "papers-gpl", "whole");
const TREE = parseRequirements(
  readFileSync(join(import.meta.dirname, "requirements.json"), "utf8"),
);

const PAGES: Readonly<Record<string, number>> = {
  "sandwich-CL.pdf": 36,
  "sandwich-OOP.pdf": 16,
  "sandwich.pdf": 21,
  "zoo-design.pdf": 2,
  "zoo-faq.pdf": 15,
  "zoo-quickref.pdf": 11,
  "zoo-read.pdf": 18,
  "zoo.pdf": 30,
};

const TERMS = [
  { term: "estfun", file: "sandwich-OOP.pdf", pages: [5, 6, 7, 8, 9] },
  { term: "estfun", file: "sandwich.pdf", pages: [6] },
  { term: "bootstrap", file: "zoo-faq.pdf", pages: [10] },
  { term: "bootstrap", file: "sandwich-OOP.pdf", pages: [13] },
  { term: "na.approx", file: "zoo-faq.pdf", pages: [2, 8] },
  { term: "na.approx", file: "zoo-quickref.pdf", pages: [5] },
  { term: "duplicated", file: "zoo-read.pdf", pages: [7, 13] },
  { term: "duplicated", file: "zoo.pdf", pages: [] },
] as const;

const papers = new Map<string, Paper>();
beforeAll(async () => {
  for (const file of readdirSync(PAPERS).toSorted()) {
    const bytes = readFileSync(join(PAPERS, file));
    papers.set(file, await readPaper(bytes, { name: file, asOf: TREE.asOf }));
  }
});

function paperOf(file: string): Paper {
  const paper = papers.get(file);
  if (paper === undefined) throw new Error(`there is no paper "${file}"`);
  return paper;
}

test("R303: eight papers, 149 pages", () => {
  const found = Object.fromEntries([...papers].map(([file, { pages }]) => [file, pages.length]));
  expect(found).toEqual(PAGES);
  expect(Object.values(found).reduce((sum, pages) => sum + pages, 0)).toBe(149);
});

test.each(TERMS)("R303: $term stands on pages $pages of $file", ({ term, file, pages }) => {
  expect(findPages(paperOf(file), term)).toEqual(pages);
});

test("R303: a phrase is found in the text, over broken lines too, and never in a running head", () => {
  const paper = paperOf("zoo.pdf");
  // The title of the paper is the head of every even page, and holds the phrase.
  expect(findPages(paper, "totally ordered")).toEqual([1, 2, 20, 25]);
  // As the title, and in the summary.
  expect(findPages(paper, "methods for indexed totally ordered observations")).toEqual([1, 25]);
  expect(findPages(paper, "Achim Zeileis, Gabor Grothendieck")).toEqual([]);
});

test("R303: no claim holds what heads every page, a cited work or a line of code", () => {
  const titles = [...papers.values()].map(({ title }) => title);
  for (const [file, paper] of papers) {
    const claims = findClaims(paper, TREE, file);
    for (const { sentence, section, page } of claims) {
      expect(titles.filter((title) => sentence.includes(title))).toEqual([]);
      expect(sentence).not.toMatch(/R>|^\d+ /);
      expect(section).not.toMatch(/^references$/i);
      expect(page).toBeGreaterThanOrEqual(1);
      expect(page).toBeLessThanOrEqual(paper.pages.length);
    }
  }
});

test("R303: every claim stands on its page, word for word", () => {
  for (const [file, paper] of papers) {
    for (const { sentence, page } of findClaims(paper, TREE, file)) {
      expect(paper.pages[page - 1]).toContain(sentence.slice(0, 12));
      // It may go on over the page.
      expect(paper.pages.slice(page - 1, page + 1).join(" ")).toContain(sentence.slice(0, 60));
    }
  }
});

test("R303: nothing speaks to the pillar that the papers do not cover", () => {
  const claims = [...papers].flatMap(([file, paper]) => findClaims(paper, TREE, file));
  expect(claims.length).toBeGreaterThan(100);
  expect(claims.filter(({ requirement }) => requirement.startsWith("N"))).toEqual([]);
});

test("a paper is as old as the newest work it cites", () => {
  expect(paperOf("sandwich-CL.pdf").year).toBe(2020);
  expect(paperOf("zoo.pdf").year).toBe(2017);
  // It cites nothing: the year of the file.
  expect(paperOf("zoo-faq.pdf").year).toBe(2022);
});

const TOOL = "pdftotext";
const hasPdftotext = spawnSync(TOOL, ["-v"]).status === 0;

test.skipIf(!hasPdftotext)("pdftotext finds the same terms on the same pages", () => {
  for (const { term, file, pages } of TERMS) {
    const { stdout } = spawnSync(TOOL, [join(PAPERS, file), "-"], { encoding: "utf8" });
    const texts = stdout.split("\f").slice(0, PAGES[file]);
    const found = texts.flatMap((text, index) =>
      text.replace(/-\n/g, "").toLowerCase().includes(term) ? [index + 1] : [],
    );
    expect(found, `${term} in ${file}`).toEqual(pages);
  }
});
