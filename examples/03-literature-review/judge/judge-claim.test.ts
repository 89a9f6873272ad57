import { expect, test } from "vitest";
import type { Claim } from "../review/claim.ts";
import { compositeOf } from "./composite.ts";
import { appealClaim, judgeAgain, judgeClaim } from "./judge-claim.ts";
import { decayOf, scoreClaim } from "./score-claim.ts";
import type { Bench } from "./score-claim.ts";

const BENCH: Bench = {
  requirement: {
    id: "R1",
    title: "Rolling windows",
    text: "Functions are applied over a rolling window of observations.",
    terms: ["rolling", "rollapply"],
  },
  asOf: 2022,
  halfLifeYears: 10,
};

function claim(extra: Partial<Claim> = {}): Claim {
  return {
    id: "a",
    requirement: "R1",
    paper: "a.pdf",
    page: 3,
    section: "2. Windows",
    sentence: "The function rollapply() applies functions over a rolling window of observations.",
    around: [],
    terms: ["rolling", "rollapply"],
    hasCode: true,
    year: 2012,
    ...extra,
  };
}

test("R303: evidence loses half its weight with every half-life, and gains none from the future", () => {
  expect([0, 10, 20, -3].map((age) => decayOf(age, 10))).toEqual([1, 0.5, 0.25, 1]);
  expect(decayOf(null, 10)).toBe(0.5);
});

test("a plain statement of the requirement is approved, with the six scores and their composite", () => {
  const judged = judgeClaim(claim(), BENCH);
  expect(judged).toMatchObject({ verdict: "approved", appealed: false });
  expect(judged.composite).toBe(compositeOf(judged.scores));
  expect(judged.scores).toMatchObject({ relevance: 5, recency: 0.5, reproducibility: 1 });
});

test("hedging weakens, citing adds rigour, and what is far from the point is less relevant", () => {
  const plain = scoreClaim(claim(), BENCH, "sentence");
  const hedged = claim({ sentence: `${claim().sentence} However, it might not, and could fail.` });
  expect(scoreClaim(hedged, BENCH, "sentence").strength).toBeLessThan(plain.strength);
  const citing = claim({ sentence: `${claim().sentence} See White (1980) and Fox (2002).` });
  expect(scoreClaim(citing, BENCH, "sentence").rigor).toBeGreaterThan(plain.rigor);
  const far = claim({
    sentence: "The stone goes on rolling for ever and ever.",
    terms: ["rolling"],
  });
  expect(scoreClaim(far, BENCH, "sentence").relevance).toBeLessThan(3);
});

test("the judge who reads the place trusts a body more than an abstract", () => {
  const strengthIn = (section: string): number =>
    scoreClaim(claim({ section }), BENCH, "place").strength;
  expect(strengthIn("Abstract")).toBeLessThan(strengthIn("2. Windows"));
});

test("a close case is judged by three, a clear one by one", () => {
  expect(judgeClaim(claim({ sentence: "Perhaps not, maybe only rolling." }), BENCH).judges).toBe(1);
  const close = "A rolling window of some observations is available.";
  expect(judgeClaim(claim({ sentence: close }), BENCH).judges).toBe(3);
});

test("R303: a rejected claim is heard with its neighbours, once, and as less direct", () => {
  const weak = claim({
    sentence: "For example, the following shows rolling sums only.",
    around: ["The function rollapply() applies functions over a window of observations."],
    terms: ["rolling"],
  });
  const first = judgeClaim(weak, BENCH);
  expect(first.verdict).toBe("rejected");
  const heard = appealClaim(first);
  expect(heard).toEqual(weak);
  const second = judgeAgain(weak, BENCH);
  expect(second).toMatchObject({ appealed: true, judges: 3, id: first.id });
  expect(second.composite).toBeGreaterThan(first.composite);
  expect(second.scores.directness).toBeLessThanOrEqual(2);
});

test("what was approved is not appealed, and neither is a claim with nothing around it", () => {
  expect(appealClaim(judgeClaim(claim({ around: ["More."] }), BENCH))).toBeUndefined();
  const alone = judgeClaim(claim({ sentence: "Perhaps not, maybe only rolling." }), BENCH);
  expect(alone.verdict).toBe("rejected");
  expect(appealClaim(alone)).toBeUndefined();
});
