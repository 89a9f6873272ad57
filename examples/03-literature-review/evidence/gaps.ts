// Where evidence is missing. A paper supports a requirement as much as its best approved claim is worth after
// its age; several papers together leave as much doubt as all of them leave.
import { COMPOSITE_MAX, roundTo } from "../judge/composite.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";
import type { RequirementTree } from "../review/requirement.ts";

/** How bad a gap is. */
export const SEVERITIES = ["critical", "high", "medium", "low", "none"] as const;
/** One of them. */
export type Severity = (typeof SEVERITIES)[number];

/** Under 30 % critical, 50 high, 70 medium, 80 low. `completeness` is 0 to 1. */
export function severityOf(completeness: number): Severity {
  if (completeness < 0.3) return "critical";
  if (completeness < 0.5) return "high";
  if (completeness < 0.7) return "medium";
  return completeness < 0.8 ? "low" : "none";
}

/** What one paper gives to one requirement. */
export interface Support {
  readonly paper: string;
  readonly approved: number;
  readonly rejected: number;
  /** 0 to 1, with three decimals. */
  readonly weight: number;
}

/** How well one requirement is covered. */
export interface RequirementGap {
  readonly id: string;
  readonly title: string;
  /** 0 to 1, with three decimals. */
  readonly completeness: number;
  readonly severity: Severity;
  readonly approved: number;
  readonly rejected: number;
  /** Mean composite of the approved claims, or null. */
  readonly quality: number | null;
  /** Papers that say anything about it, in the order of papers. */
  readonly support: readonly Support[];
}

/** How well a pillar is covered: the mean of its requirements. */
export interface PillarGap {
  readonly id: string;
  readonly title: string;
  readonly completeness: number;
  readonly severity: Severity;
  readonly requirements: readonly RequirementGap[];
}

/** Measures every requirement of a tree. */
export function findGaps(tree: RequirementTree, claims: readonly JudgedClaim[]): PillarGap[] {
  return tree.pillars.map(({ id, title, requirements }) => {
    const gaps = requirements.map((requirement) => {
      const own = claims.filter((claim) => claim.requirement === requirement.id);
      return toGap(requirement, own);
    });
    const completeness = roundTo(mean(gaps.map((gap) => gap.completeness)), 3);
    return { id, title, completeness, severity: severityOf(completeness), requirements: gaps };
  });
}

function toGap(
  { id, title }: { readonly id: string; readonly title: string },
  claims: readonly JudgedClaim[],
): RequirementGap {
  const papers = [...new Set(claims.map(({ paper }) => paper))];
  const support = papers.map((paper) => toSupport(paper, claims));
  const doubt = support.reduce((product, { weight }) => product * (1 - weight), 1);
  const completeness = roundTo(1 - doubt, 3);
  const approved = claims.filter(({ verdict }) => verdict === "approved");
  return {
    id,
    title,
    completeness,
    severity: severityOf(completeness),
    approved: approved.length,
    rejected: claims.length - approved.length,
    quality: approved.length === 0 ? null : roundTo(mean(approved.map((own) => own.composite)), 3),
    support,
  };
}

function toSupport(paper: string, claims: readonly JudgedClaim[]): Support {
  const own = claims.filter((claim) => claim.paper === paper);
  const approved = own.filter(({ verdict }) => verdict === "approved");
  const weights = approved.map(
    ({ composite, scores }) => (composite / COMPOSITE_MAX) * scores.recency,
  );
  return {
    paper,
    approved: approved.length,
    rejected: own.length - approved.length,
    weight: roundTo(Math.max(0, ...weights), 3),
  };
}

/** 0 for none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
