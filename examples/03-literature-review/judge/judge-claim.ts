// Verdicts: one judge, three when it is close, and an appeal in which a rejected claim is read together with
// its neighbours. What was approved on appeal says so.
import type { Claim } from "../review/claim.ts";
import { compositeOf, isApproved, meanScores, needsPanel } from "./composite.ts";
import type { Scores } from "./composite.ts";
import { scoreClaim, VIEWS } from "./score-claim.ts";
import type { Bench } from "./score-claim.ts";

/** A claim with its verdict. */
export interface JudgedClaim extends Claim {
  readonly scores: Scores;
  readonly composite: number;
  readonly verdict: "approved" | "rejected";
  /** Judges that were asked the last time. */
  readonly judges: 1 | 3;
  /** True: rejected at first, then judged again. */
  readonly appealed: boolean;
}

/** The first verdict: one judge, or the mean of three when one cannot tell. */
export function judgeClaim(claim: Claim, bench: Bench): JudgedClaim {
  const first = scoreClaim(claim, bench, "sentence");
  if (!needsPanel(first)) return toJudged(claim, first, { judges: 1, appealed: false });
  const panel = VIEWS.map((view) => scoreClaim(claim, bench, view));
  return toJudged(claim, meanScores(panel), { judges: 3, appealed: false });
}

/** A rejected claim as it goes to appeal: its neighbours are part of what it says. Without any it has no case. */
export function appealClaim(claim: JudgedClaim): Claim | undefined {
  if (claim.verdict === "approved" || claim.around.length === 0) return undefined;
  const { id, requirement, paper, page, section, sentence, around, terms, hasCode, year } = claim;
  return { id, requirement, paper, page, section, sentence, around, terms, hasCode, year };
}

/** The last verdict: three judges read the claim with its neighbours. Evidence of two sentences is less direct. */
export function judgeAgain(claim: Claim, bench: Bench): JudgedClaim {
  const passage = { ...claim, sentence: [claim.sentence, ...claim.around].join(" "), around: [] };
  const scores = meanScores(VIEWS.map((view) => scoreClaim(passage, bench, view)));
  const capped = { ...scores, directness: Math.min(2, scores.directness) };
  return toJudged(claim, capped, { judges: 3, appealed: true });
}

function toJudged(
  claim: Claim,
  scores: Scores,
  how: Pick<JudgedClaim, "judges" | "appealed">,
): JudgedClaim {
  const verdict = isApproved(scores) ? "approved" : "rejected";
  return { ...claim, scores, composite: compositeOf(scores), verdict, ...how };
}
