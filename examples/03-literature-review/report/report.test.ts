import { expect, test } from "vitest";
import { findGaps } from "../evidence/gaps.ts";
import { makeClaim } from "../evidence/make-claim.ts";
import { toMatrix } from "../evidence/matrix.ts";
import { scorePillars } from "../evidence/scorecard.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";
import type { Literature, PaperEntry } from "../output/literature.ts";
import { drawReport } from "./page.ts";

const TREE: Literature["tree"] = {
  title: "A <b>bold</b> tree",
  asOf: 2022,
  halfLifeYears: 10,
  pillars: [
    {
      id: "R",
      title: "Pillar",
      requirements: [{ id: "R1", title: "One", text: "It is so.", terms: ["so"] }],
    },
  ],
};

const PAPER: PaperEntry = {
  paper: 'evil"><script>alert(1)</script>.pdf',
  status: "reviewed",
  title: "",
  authors: "Nobody & Sons",
  year: null,
  pages: 3,
  sentences: 10,
};

function draw(claims: readonly JudgedClaim[], papers: readonly PaperEntry[] = [PAPER]): string {
  const gaps = findGaps(TREE, claims);
  const versions = [{ version: 1, added: claims.length, changed: 0, removed: 0 }];
  const parts = { gaps, scorecard: scorePillars(gaps), matrix: toMatrix(gaps) };
  return drawReport({ tree: TREE, papers, claims, versions, ...parts });
}

test("names and texts of papers are text, never markup", () => {
  const sentence = "It is so <img src=x onerror=alert(1)> for all.";
  const page = draw([makeClaim({ paper: PAPER.paper, sentence })]);
  expect(page).not.toMatch(/<script|<img|<b>bold/);
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain("Nobody &amp; Sons");
});

test("the page asks the network for nothing and links only to places of its own", () => {
  const page = draw([makeClaim({ paper: PAPER.paper })]);
  expect(page).not.toMatch(/https?:|src=|@import|url\(/);
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? "");
  expect(targets.length).toBeGreaterThan(1);
  for (const id of targets) expect(page).toContain(`id="${id}"`);
});

test("every claim is shown with its page, its verdict and the term that made it one", () => {
  const approved = makeClaim({ paper: PAPER.paper, page: 3 });
  const rejected = makeClaim({ paper: PAPER.paper, id: "b", page: 2, verdict: "rejected" });
  const page = draw([approved, rejected]);
  expect(page).toContain("p. 3");
  expect(page).toContain("<mark>so</mark>");
  expect(page).toContain("1 rejected claim");
});

test("a review without papers and claims still is a page, with every gap critical", () => {
  const failed: PaperEntry = { ...PAPER, status: "failed", reason: "it is cut off" };
  const page = draw([], [failed]);
  expect(page).toContain("What was not read");
  expect(page).toContain("it is cut off");
  expect(page).toContain("no paper speaks to it");
});
