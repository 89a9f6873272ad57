// Gaps, scorecard and matrix: what they make of judged claims.
import { expect, test } from "vitest";
import type { RequirementTree } from "../review/requirement.ts";
import { findGaps, severityOf } from "./gaps.ts";
import { makeClaim } from "./make-claim.ts";
import { qualityOf, quantityOf, toMatrix } from "./matrix.ts";
import { scorePillars, tierOf } from "./scorecard.ts";

function requirement(id: string): RequirementTree["pillars"][number]["requirements"][number] {
  return { id, title: `Title ${id}`, text: "It holds.", terms: ["holds"] };
}

const TREE: RequirementTree = {
  title: "Tree",
  asOf: 2022,
  halfLifeYears: 10,
  pillars: [
    { id: "R", title: "Covered", requirements: [requirement("R1"), requirement("R2")] },
    { id: "N", title: "Not covered", requirements: [requirement("N1")] },
  ],
};

test.each([
  [0, "critical"],
  [0.299, "critical"],
  [0.3, "high"],
  [0.499, "high"],
  [0.5, "medium"],
  [0.699, "medium"],
  [0.7, "low"],
  [0.799, "low"],
  [0.8, "none"],
  [1, "none"],
])("R303: completeness %d is a gap of severity %s", (completeness, severity) => {
  expect(severityOf(completeness)).toBe(severity);
});

test("R303: a pillar without a claim is at 0 %, critical, and scores 0", () => {
  const gaps = findGaps(TREE, [makeClaim()]);
  expect(gaps[1]).toMatchObject({ completeness: 0, severity: "critical" });
  expect(scorePillars(gaps).pillars[1]).toMatchObject({ score: 0, tier: "weak" });
});

test("R303: rejected claims are counted and support nothing", () => {
  const [pillar] = findGaps(TREE, [makeClaim({ verdict: "rejected" })]);
  expect(pillar?.requirements[0]).toMatchObject({
    completeness: 0,
    approved: 0,
    rejected: 1,
    quality: null,
    support: [{ paper: "a.pdf", approved: 0, rejected: 1, weight: 0 }],
  });
});

test("R303: a paper is worth its best claim after its age, and papers leave the doubt they all leave", () => {
  const old = makeClaim({
    id: "b",
    paper: "b.pdf",
    scores: { ...makeClaim().scores, recency: 0.5 },
  });
  const worse = makeClaim({ id: "c", composite: 3 });
  const [pillar] = findGaps(TREE, [makeClaim(), worse, old]);
  const first = pillar?.requirements[0];
  // 3.1 / 4.2 = 0.738, and (0.10 * ... - 0.025) less for the old one: 3.075 / 4.2 * 0.5 = 0.366.
  expect(first?.support.map(({ weight }) => weight)).toEqual([0.738, 0.366]);
  expect(first?.completeness).toBeCloseTo(1 - (1 - 0.738) * (1 - 0.366), 3);
  expect(pillar?.completeness).toBeCloseTo((first?.completeness ?? 0) / 2, 3);
});

test("R303: tiers begin at 80, 60 and 40", () => {
  const tiers = [100, 80, 79.9, 60, 59.9, 40, 39.9, 0].map(tierOf);
  const [strong, sound, thin, weak] = ["strong", "sound", "thin", "weak"];
  expect(tiers).toEqual([strong, strong, sound, sound, thin, thin, weak, weak]);
});

test("R303: a score is 60 completeness, 25 quality and 15 breadth, and the whole is by requirements", () => {
  const gaps = findGaps(TREE, [makeClaim(), makeClaim({ id: "b", paper: "b.pdf" })]);
  const [pillar] = scorePillars(gaps).pillars;
  expect(pillar).toMatchObject({ quality: 0.738, breadth: 0.5 });
  const expected = 60 * (gaps[0]?.completeness ?? 0) + 25 * 0.738 + 15 * 0.5;
  expect(pillar?.score).toBeCloseTo(expected, 1);
  expect(scorePillars(gaps).score).toBeCloseTo((2 * expected) / 3, 0);
});

test("R303: the matrix holds every requirement once, by quantity and quality", () => {
  const cells = toMatrix(findGaps(TREE, [makeClaim(), makeClaim({ id: "b" })]));
  expect(cells).toHaveLength(10);
  expect(cells.filter(({ requirements }) => requirements.length > 0)).toEqual([
    { quantity: "none", quality: null, requirements: ["R2", "N1"] },
    { quantity: "few", quality: "fair", requirements: ["R1"] },
  ]);
  expect([0, 1, 2, 3, 5, 6].map(quantityOf)).toEqual("none few few some some many".split(" "));
  expect([3, 3.2, 3.3].map((quality) => qualityOf({ quality }))).toEqual(["fair", "good", "high"]);
});
