// A review of papers against a tree of requirements. What each stage does is in stages.ts; here is what each
// one needs. Papers are read and judged one by one, each with its own retries and its own checkpoint; a paper
// that cannot be read is noted and the rest goes on. A later run does only the papers that changed: raise the
// version of a cache when what its stage makes of the same paper changes.
import { input, map, pipeline, skip, stage } from "millrace";
import { PaperFault } from "./paper/pdf-file.ts";
import { desk, judges } from "./resources.ts";
import {
  appealRejected,
  hasRejected,
  judgeAppeals,
  judgeReview,
  listFiles,
  readRequirements,
  reviewPaper,
  SOURCE,
  syncDatabase,
  toGaps,
  toJudgeKey,
  toReviewKey,
  toScorecard,
  toSufficiency,
  verifyDatabase,
  verifyFiles,
  writeReport,
} from "./stages.ts";

const source = input(SOURCE);

const requirements = stage(
  "requirements",
  { needs: { source }, uses: [desk], description: "Reads and checks the tree of requirements." },
  readRequirements,
);

const review = map(
  "review",
  {
    needs: { source, tree: requirements },
    over: listFiles,
    key: ({ file }) => file,
    cache: { version: "1", key: toReviewKey },
    onItemFailure: "continue",
    classify: (error) => (error instanceof PaperFault ? "permanent" : undefined),
    uses: [desk],
    description: "Reads every paper and finds the sentences that speak to a requirement.",
  },
  reviewPaper,
);

const judge = map(
  "judge",
  {
    needs: { source, tree: requirements },
    over: review,
    cache: { version: "1", key: toJudgeKey },
    onItemFailure: "continue",
    uses: [desk, judges],
    description: "Scores each claim six ways; three judges when it is close.",
  },
  judgeReview,
);

const appeal = stage(
  "appeal",
  {
    needs: { source, judged: judge },
    when: ({ judged }) => hasRejected(judged) || skip("no_rejections"),
    uses: [desk],
    description: "Hears rejected claims together with the sentences around them.",
  },
  appealRejected,
);

const judgeOnceMore = stage(
  "judge_again",
  {
    needs: { source, tree: requirements, appeal },
    when: ({ appeal: heard }) => heard.status !== "skipped" || skip("no_rejections"),
    uses: [desk],
    description: "Three judges for every appeal.",
  },
  judgeAppeals,
);

const sync = stage(
  "sync",
  {
    needs: { source, reviews: review, judged: judge, again: judgeOnceMore },
    verify: verifyDatabase,
    uses: [desk],
    description: "Brings the database of claims up to date, with its history.",
  },
  syncDatabase,
);

const gaps = stage(
  "gaps",
  {
    needs: { source, tree: requirements, evidence: sync },
    uses: [desk],
    description: "Measures how complete the evidence is, and how bad each gap.",
  },
  toGaps,
);

const scorecard = stage(
  "scorecard",
  { needs: { source, gaps }, uses: [desk], description: "Scores every pillar from 0 to 100." },
  toScorecard,
);

const matrix = stage(
  "matrix",
  {
    needs: { source, gaps },
    uses: [desk],
    description: "Sets quantity of evidence against quality.",
  },
  toSufficiency,
);

const report = stage(
  "report",
  {
    needs: { source, tree: requirements, evidence: sync, gaps, scorecard, matrix },
    verify: verifyFiles,
    uses: [desk],
    description: "Writes claims, gaps, scorecard, matrix and the report.",
  },
  writeReport,
);

export const literatureReview = pipeline("literature-review", {
  input: source,
  output: { report },
  defaults: { retry: { attempts: 3, initialDelay: "200ms" }, timeout: "2m" },
  description: "A review of PDF papers against a tree of requirements.",
});
