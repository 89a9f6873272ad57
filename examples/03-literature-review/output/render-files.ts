// All output files of a review but the database, as names and contents. Nothing is written here.
import type { JudgedClaim } from "../judge/judge-claim.ts";
import { drawReport } from "../report/page.ts";
import type { Literature } from "./literature.ts";
import type { OutputFile } from "./write-files.ts";

/** The files, `report.html` last: whoever waits for it finds the others. */
export function renderFiles(literature: Literature): OutputFile[] {
  const { claims, gaps, scorecard, matrix, papers, versions } = literature;
  return [
    { name: "claims.json", content: toJsonText({ papers, versions, claims: claims.map(toRow) }) },
    { name: "gaps.json", content: toJsonText(gaps) },
    { name: "scorecard.json", content: toJsonText(scorecard) },
    { name: "matrix.json", content: toJsonText(matrix) },
    { name: "report.html", content: drawReport(literature) },
  ];
}

/** A claim without what only the judges needed. */
function toRow(claim: JudgedClaim): unknown {
  const { id, requirement, paper, page, section, sentence, terms } = claim;
  const { scores, composite, verdict, judges, appealed } = claim;
  const found = { id, paper, page, section, sentence, requirement, terms };
  return { ...found, scores, composite, verdict, judges, appealed };
}

function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
