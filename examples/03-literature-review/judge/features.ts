// What a judge can see in a text without understanding it: words shared with the requirement, words that
// assert or hedge, words of method, works cited, functions named.
import { findCitations } from "../paper/citation.ts";
import type { Requirement } from "../review/requirement.ts";

const STOP_WORDS = new Set(
  (
    "a all an and any are as at be but by can do for from had has have in into is it its kept of on one or" +
    " several so that the their them they this those through to under up use used uses using was were" +
    " what when which whose will with within without"
  ).split(" "),
);

const ASSERTS =
  /\b(?:provid|implement|comput|support|allow|demonstrat|show|introduc|propos|suggest|combin|appl(?:y|ied|ies)|method|functions? for|available|describ|employ|embed|convert|return|account|bridg|works? with)\w*/gi;
const HEDGES =
  /\b(?:may|might|could|would|perhaps|possibly|seems?|however|although|cannot|not|without|limited|only|unfortunately|future|wish)\b/gi;
const METHODS =
  /\b(?:estimat|covarianc|asymptotic|consisten|simulat|test|theor|model|algorithm|regress|matri|varianc|method|generic|class|empirical|bias|robust|interpolat|aggregat|function|argument|index)\w*/gi;
const FUNCTION_NAME =
  /\b[\w.]+\(\)|\b(?:na|read|as|merge|aggregate|plot|vcov)\.?[A-Z]?\w*\.\w+\b|\bvcov[A-Z]+\b/;

/** What can be counted in a text, with a requirement in mind. */
export interface Features {
  /** Share of the requirement's own words that stand in the text, 0 to 1. */
  readonly overlap: number;
  readonly asserts: number;
  readonly hedges: number;
  /** Different words of method. */
  readonly methods: number;
  readonly citations: number;
  readonly namesFunction: boolean;
  readonly words: number;
}

/** Counts. */
export function readFeatures(text: string, requirement: Requirement): Features {
  const wanted = toStems(`${requirement.title} ${requirement.text}`);
  const found = toStems(text);
  const shared = [...wanted].filter((stem) => found.has(stem)).length;
  return {
    overlap: wanted.size === 0 ? 0 : shared / wanted.size,
    asserts: countDistinct(text, ASSERTS),
    hedges: countDistinct(text, HEDGES),
    methods: countDistinct(text, METHODS),
    citations: findCitations(text).length,
    namesFunction: FUNCTION_NAME.test(text),
    words: text.split(" ").length,
  };
}

function countDistinct(text: string, pattern: RegExp): number {
  return new Set(text.toLowerCase().match(pattern)).size;
}

/** Words without their endings, and without those that every text has. */
function toStems(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[\p{L}\d]+/gu) ?? [];
  return new Set(words.filter((word) => !STOP_WORDS.has(word)).map(stem));
}

function stem(word: string): string {
  if (word.length <= 4) return word.replace(/s$/, "");
  return word.replace(/(?:ations?|ings?|ed|ly|ies|es|s|e)$/, "");
}
