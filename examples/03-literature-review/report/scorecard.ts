// How well each pillar stands, as cards, and the matrix of quantity by quality.
import type { PillarGap } from "../evidence/gaps.ts";
import { QUALITIES, QUANTITIES } from "../evidence/matrix.ts";
import type { MatrixCell, Quality, Quantity } from "../evidence/matrix.ts";
import type { PillarScore, Scorecard } from "../evidence/scorecard.ts";
import { html } from "./markup.ts";
import type { Content, Markup } from "./markup.ts";

/** A card per pillar. */
export function drawScorecard({ pillars }: Scorecard): Markup {
  return html`<ol class="cards">
    ${pillars.map(drawCard)}
  </ol>`;
}

function drawCard({ title, score, tier, completeness, quality, breadth }: PillarScore): Markup {
  const rows = [
    ["Completeness", completeness, "mean of the requirements"],
    ["Quality", quality, "mean composite of approved claims, of the best there could be"],
    ["Breadth", breadth, "share of requirements that two papers support"],
  ] as const;
  return html`<li class="card">
    <div class="value">
      <span class="score">${score.toFixed(0)}</span>
      <span class="tier ${tier}">${tier}</span>
    </div>
    <strong>${title}</strong>
    <div class="scale"><i style="width:${score.toFixed(1)}%"></i><b></b><b></b><b></b></div>
    <dl>
      ${rows.map(
        ([word, share, meaning]) =>
          html`<div title="${meaning}">
            <dt>${word}</dt>
            <dd>
              <span class="meter"><i style="width:${(share * 100).toFixed(0)}%"></i></span>
            </dd>
            <dd class="number">${(share * 100).toFixed(0)}</dd>
          </div>`,
      )}
    </dl>
  </li>`;
}

const AMOUNTS: Readonly<Record<Quantity, string>> = {
  none: "none approved",
  few: "1 to 2",
  some: "3 to 5",
  many: "6 and more",
};

/** Better evidence further up, more of it further right; what has none stands apart. */
export function drawMatrix(cells: readonly MatrixCell[], gaps: readonly PillarGap[]): Markup {
  const titles = new Map(
    gaps.flatMap(({ requirements }) => requirements.map(({ id, title }) => [id, title])),
  );
  const drawIds = (quantity: Quantity, quality: Quality | null): Content => {
    const cell = cells.find((own) => own.quantity === quantity && own.quality === quality);
    return (cell?.requirements ?? []).map(
      (id) => html`<span class="chip"><b>${id}</b><span>${titles.get(id)}</span></span>`,
    );
  };
  const amounts = QUANTITIES.filter((quantity) => quantity !== "none");
  return html`<div class="matrix">
    <div class="nothing">
      <p class="axis">${AMOUNTS.none}</p>
      <div>${drawIds("none", null)}</div>
    </div>
    <div class="grid">
      ${QUALITIES.toReversed().map(
        (quality) =>
          html`<p class="axis">${quality}</p>
            ${amounts.map((quantity) => {
              return html`<div class="${quantity}-${quality}">${drawIds(quantity, quality)}</div>`;
            })}`,
      )}
      <p></p>
      ${amounts.map((quantity) => html`<p class="axis">${AMOUNTS[quantity]}</p>`)}
    </div>
  </div>`;
}
