// What a review finds: claims, each a sentence of a paper that speaks to a requirement.

/** One sentence that speaks to one requirement, unjudged. */
export interface Claim {
  /** Made from paper, requirement and sentence: the same claim has it in every run. */
  readonly id: string;
  /** Id of the requirement. */
  readonly requirement: string;
  /** Key of the paper. */
  readonly paper: string;
  /** From 1. */
  readonly page: number;
  readonly section: string;
  readonly sentence: string;
  /** The sentences before and after it, for an appeal. */
  readonly around: readonly string[];
  /** Terms of the requirement that stand in the sentence. */
  readonly terms: readonly string[];
  /** True: the page of the claim shows code to repeat it. */
  readonly hasCode: boolean;
  readonly year: number | null;
}

/** What the review of one paper gives. */
export interface Review {
  /** Key of the paper. */
  readonly paper: string;
  readonly sha256: string;
  readonly title: string;
  readonly authors: string;
  readonly year: number | null;
  readonly pages: number;
  /** Sentences that were read. */
  readonly sentences: number;
  readonly claims: readonly Claim[];
}
