// What the report says, as one plain value: the JSON files are its parts, `report.html` draws it. Nothing in
// it depends on when, where or how fast the run was.
import type { VersionChange } from "../evidence/database.ts";
import type { PillarGap } from "../evidence/gaps.ts";
import type { MatrixCell } from "../evidence/matrix.ts";
import type { Scorecard } from "../evidence/scorecard.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";
import type { RequirementTree } from "../review/requirement.ts";

/** One paper of the folder, read or not. */
export interface PaperEntry {
  readonly paper: string;
  readonly status: "reviewed" | "skipped" | "failed";
  /** Why not, of papers that were not reviewed. */
  readonly reason?: string;
  readonly title: string;
  readonly authors: string;
  readonly year: number | null;
  readonly pages: number;
  readonly sentences: number;
}

/** Everything that was found. */
export interface Literature {
  readonly tree: RequirementTree;
  readonly papers: readonly PaperEntry[];
  readonly claims: readonly JudgedClaim[];
  readonly versions: readonly VersionChange[];
  readonly gaps: readonly PillarGap[];
  readonly scorecard: Scorecard;
  readonly matrix: readonly MatrixCell[];
}
