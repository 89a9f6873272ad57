// Which sentences of a paper speak to which requirement. A sentence must hold one of the requirement's terms;
// a full-text index ranks those that do, and the best few become claims.
import { createHash } from "node:crypto";
import MiniSearch from "minisearch";
import type { Paper } from "../paper/read-paper.ts";
import type { Claim } from "./claim.ts";
import { listRequirements } from "./requirement.ts";
import type { Requirement, RequirementTree } from "./requirement.ts";

/** Claims that one paper may make about one requirement: a long paper is not better evidence for its length. */
export const CLAIMS_PER_REQUIREMENT_MAX = 4;

/** The claims of a paper, by requirement in the order of the tree, best first. `file` is the paper's key. */
export function findClaims(paper: Paper, tree: RequirementTree, file: string): Claim[] {
  const index = new MiniSearch<{ readonly id: number; readonly text: string }>({
    fields: ["text"],
    // Names such as "na.approx" are one word.
    tokenize: (text) => text.toLowerCase().match(/[\p{L}\d]+(?:[._-][\p{L}\d]+)*/gu) ?? [],
  });
  index.addAll(paper.sentences.map(({ text }, id) => ({ id, text })));
  return listRequirements(tree).flatMap((requirement) =>
    rankSentences(index, paper, requirement).map((at) => toClaim(paper, at, { requirement, file })),
  );
}

/** Positions of the sentences that hold a term, best first; equal ones in reading order. */
function rankSentences(
  index: MiniSearch,
  { sentences }: Paper,
  { terms, title, text }: Requirement,
): number[] {
  const scores = new Map<unknown, number>();
  for (const { id, score } of index.search([...terms, title, text].join(" ")))
    scores.set(id, score);
  return sentences
    .map((sentence, at) => ({
      at,
      found: findTerms(sentence.text, terms),
      score: scores.get(at) ?? 0,
    }))
    .filter(({ found }) => found.length > 0)
    .sort((one, other) => other.score - one.score || one.at - other.at)
    .slice(0, CLAIMS_PER_REQUIREMENT_MAX)
    .map(({ at }) => at);
}

/** The terms that stand in a text as whole words, in any case. */
export function findTerms(text: string, terms: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return terms.filter((term) => isWithin(lower, term.toLowerCase()));
}

function isWithin(text: string, term: string): boolean {
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    const before = text.charAt(at - 1);
    const after = text.slice(at + term.length, at + term.length + 2);
    // A dot ends a word at the end of a sentence, and goes on with it in "read.zoo".
    if (!/[\p{L}\d._-]/u.test(before) && !/^(?:[\p{L}\d_]|[.-][\p{L}\d])/u.test(after)) return true;
  }
  return false;
}

function toClaim(
  paper: Paper,
  at: number,
  { requirement, file }: { readonly requirement: Requirement; readonly file: string },
): Claim {
  const sentence = paper.sentences[at] ?? { text: "", page: 0, section: "" };
  const { text, page, section } = sentence;
  const around = [paper.sentences[at - 1], paper.sentences[at + 1]];
  return {
    id: hashClaim([file, requirement.id, text]),
    requirement: requirement.id,
    paper: file,
    page,
    section,
    sentence: text,
    around: around.flatMap((near) => (near?.section === section ? [near.text] : [])),
    terms: findTerms(text, requirement.terms),
    hasCode: /\bR> /.test(paper.pages[page - 1] ?? ""),
    year: paper.year,
  };
}

function hashClaim(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}
