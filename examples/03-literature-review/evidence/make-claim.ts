// A judged claim for tests, with every field that a test does not care about filled in.
import { compositeOf } from "../judge/composite.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";

/** A claim that is approved unless `extra` says otherwise. */
export function makeClaim(extra: Partial<JudgedClaim> = {}): JudgedClaim {
  const scores = {
    strength: 4,
    rigor: 3,
    relevance: 4,
    directness: 3,
    recency: 1,
    reproducibility: 0,
    ...extra.scores,
  };
  return {
    id: "a1",
    requirement: "R1",
    paper: "a.pdf",
    page: 1,
    section: "1. One",
    sentence: "It is so, and has always been.",
    around: [],
    terms: ["so"],
    hasCode: false,
    year: 2020,
    composite: compositeOf(scores),
    verdict: "approved",
    judges: 1,
    appealed: false,
    ...extra,
    scores,
  };
}
