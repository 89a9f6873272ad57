// Severities as words with a colour, and the list of what is missing.
import { SEVERITIES } from "../evidence/gaps.ts";
import type { PillarGap, RequirementGap, Severity } from "../evidence/gaps.ts";
import { listRequirements } from "../review/requirement.ts";
import type { RequirementTree } from "../review/requirement.ts";
import { count, html } from "./markup.ts";
import type { Markup } from "./markup.ts";

const WORDS: Readonly<Record<Severity, string>> = {
  critical: "critical",
  high: "high",
  medium: "medium",
  low: "low",
  none: "covered",
};

/** The word carries the meaning; the colour repeats it. */
export function drawSeverity(severity: Severity): Markup {
  return html`<span class="severity ${severity}">${WORDS[severity]}</span>`;
}

/** Every requirement that is not covered, worst first, with what would have to be found. */
export function drawGaps(pillars: readonly PillarGap[], tree: RequirementTree): Markup {
  const texts = new Map(listRequirements(tree).map(({ id, text }) => [id, text]));
  const open = pillars
    .flatMap(({ requirements }) => requirements)
    .filter(({ severity }) => severity !== "none");
  if (open.length === 0) return html`<p class="none">Every requirement is covered.</p>`;
  const sorted = [...open].sort(
    (one, other) =>
      SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
      one.completeness - other.completeness,
  );
  return html`<ul class="gaps">
    ${sorted.map(
      (gap) =>
        html`<li>
          ${drawSeverity(gap.severity)}
          <span class="number">${(gap.completeness * 100).toFixed(0)} %</span>
          <div>
            <strong><span class="id">${gap.id}</span> ${gap.title}</strong>
            <span>${texts.get(gap.id)}</span>
          </div>
          <small>${describe(gap)}</small>
        </li>`,
    )}
  </ul>`;
}

function describe({ approved, rejected, support }: RequirementGap): string {
  const papers = support.filter((own) => own.approved > 0).length;
  if (approved > 0) return `${count(approved, "claim")} from ${count(papers, "paper")}`;
  return rejected > 0 ? `${count(rejected, "claim")}, none approved` : "no paper speaks to it";
}
