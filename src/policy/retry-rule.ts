// An author's retry rules against one failure: the first that matches wins. What its verb then means is
// decided in `retry.ts`.

import type { ParsedRule, RetryMatch } from "../model/retry.ts";
import type { Classified } from "./classify/classify.ts";
import { exitCodeOf, listCodes } from "./classify/evidence.ts";
import { messageOf } from "./failure.ts";

/** One failure, as rules see it. */
export interface RuleSubject {
  readonly classified: Classified;
  readonly error: unknown;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
}

/** The rule that matched, and how many threw while they were asked. */
export interface RuleAnswer {
  readonly rule: ParsedRule | undefined;
  /** Position of the rule from 1; 0: none matched. */
  readonly position: number;
  /** Rules that threw and so count as no match. */
  readonly faults: number;
}

/** Asks the rules in order. A rule matches when all its parts do; one without parts always does. */
export function matchRules(rules: readonly ParsedRule[], subject: RuleSubject): RuleAnswer {
  let faults = 0;
  for (const [index, rule] of rules.entries()) {
    try {
      if (isMatch(rule.match, subject)) return { rule, position: index + 1, faults };
    } catch {
      // A pattern object of the author's own may throw; the failure must still be decided.
      faults += 1;
    }
  }
  return { rule: undefined, position: 0, faults };
}

function isMatch(match: RetryMatch, { classified, error, attempt }: RuleSubject): boolean {
  if (match.class !== undefined && match.class !== classified.class) return false;
  if (match.attempt !== undefined && match.attempt !== attempt) return false;
  if (match.exitCode !== undefined && match.exitCode !== exitCodeOf(error)) return false;
  if (match.code !== undefined && !hasCode(match.code, classified, error)) return false;
  return match.message === undefined || hasText(messageOf(error), match.message);
}

function hasCode(code: string, classified: Classified, error: unknown): boolean {
  return classified.code === code || listCodes(error).includes(code);
}

function hasText(message: string, wanted: RegExp | string): boolean {
  if (typeof wanted === "string") return message.toLowerCase().includes(wanted.toLowerCase());
  // `search` begins at 0 whatever a global pattern remembers from its last use.
  return message.search(wanted) !== -1;
}
