// The heat map: requirements down, papers across, and at the end of each row what all papers come to. Every
// cell with claims leads to them.
import type { PillarGap, RequirementGap } from "../evidence/gaps.ts";
import type { PaperEntry } from "../output/literature.ts";
import { toClaimsId, toPaperId } from "./anchor.ts";
import { drawSeverity } from "./gaps.ts";
import { html } from "./markup.ts";
import type { Markup } from "./markup.ts";

/** The map. Papers that were not read have no column. */
export function drawHeatMap(gaps: readonly PillarGap[], papers: readonly PaperEntry[]): Markup {
  const read = papers.filter(({ status }) => status === "reviewed");
  return html`<div class="wide">
    <table class="heat">
      <thead>
        <tr>
          <th>Requirement</th>
          ${read.map(({ paper }) => {
            const name = paper.replace(/\.pdf$/i, "");
            return html`<th class="paper"><a href="#${toPaperId(papers, paper)}">${name}</a></th>`;
          })}
          <th>Complete</th>
        </tr>
      </thead>
      ${gaps.map((pillar) => drawPillar(pillar, read, papers))}
    </table>
  </div>`;
}

function drawPillar(
  { title, completeness, severity, requirements }: PillarGap,
  read: readonly PaperEntry[],
  papers: readonly PaperEntry[],
): Markup {
  return html`<tbody>
    <tr class="pillar">
      <th scope="rowgroup">${title}</th>
      <td colspan="${read.length}"></td>
      <td>${drawCompleteness(completeness)} ${drawSeverity(severity)}</td>
    </tr>
    ${requirements.map(
      (gap) =>
        html`<tr>
          <th scope="row"><span class="id">${gap.id}</span> ${gap.title}</th>
          ${read.map(({ paper }) => drawCell(gap, paper, papers))}
          <td>${drawCompleteness(gap.completeness)} ${drawSeverity(gap.severity)}</td>
        </tr>`,
    )}
  </tbody>`;
}

function drawCell(gap: RequirementGap, paper: string, papers: readonly PaperEntry[]): Markup {
  const support = gap.support.find((own) => own.paper === paper);
  if (support === undefined) return html`<td class="cell"></td>`;
  const { approved, rejected, weight } = support;
  const href = `#${toClaimsId(papers, paper, gap.id)}`;
  const what = `${gap.id} in ${paper}: ${approved} approved, ${rejected} rejected, weight ${weight.toFixed(2)}`;
  // Squared, since the eye tells dark shades apart less well than numbers.
  const shade = Math.min(100, Math.round(weight ** 2 * 130));
  return approved === 0
    ? html`<td class="cell">
        <a class="ring-cell" href="${href}" title="${what}" aria-label="${what}"></a>
      </td>`
    : html`<td class="cell">
        <a
          class="full-cell ${shade >= 68 ? "dark" : "pale"}"
          style="--shade:${shade}%"
          href="${href}"
          title="${what}"
          aria-label="${what}"
          >${approved}</a
        >
      </td>`;
}

function drawCompleteness(share: number): Markup {
  const value = (share * 100).toFixed(0);
  return html`<span class="complete"
    ><span class="meter"><i style="width:${value}%"></i></span>
    <span class="number">${value} %</span></span
  >`;
}
