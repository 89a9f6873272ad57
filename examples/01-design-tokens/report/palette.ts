// The colours: a ribbon of how much of each there is, a card for each that matters, small chips for the
// rest, and what was merged into what.
import { judgeContrast } from "../tokens/contrast.ts";
import type { ColorMerge } from "../output/report.ts";
import type { ColorToken } from "../tokens/token.ts";
import { count, html, percent } from "./markup.ts";
import type { Markup } from "./markup.ts";

/** A colour matters when it covers this much, or was seen in more than one picture. */
const COVERAGE_MIN = 0.002;

/** All colours side by side, each as wide as its share. */
export function drawRibbon(colors: readonly ColorToken[]): Markup {
  if (colors.length === 0) return html``;
  const sorted = [...colors].sort((one, other) => other.coverage - one.coverage);
  return html`<div class="ribbon" role="img" aria-label="${describeRibbon(sorted)}">
    ${sorted.map(
      (color) =>
        html`<i
          style="background:${color.value};flex-grow:${Math.max(2, Math.round(color.coverage * 1000))}"
          title="${color.name} ${color.value}, ${percent(color.coverage)}"
        ></i>`,
    )}
  </div>`;
}

function describeRibbon(colors: readonly ColorToken[]): string {
  const first = colors.slice(0, 6).map((color) => `${color.name} ${percent(color.coverage)}`);
  return `Share of each colour: ${first.join(", ")} and ${Math.max(0, colors.length - 6)} more`;
}

/** Cards, then chips. */
export function drawPalette(colors: readonly ColorToken[], merges: readonly ColorMerge[]): Markup {
  if (colors.length === 0)
    return html`<p class="none">Nobody can see a colour in these pictures.</p>`;
  const isMajor = (color: ColorToken): boolean =>
    color.coverage >= COVERAGE_MIN || countImages(color) > 1;
  const minor = colors.filter((color) => !isMajor(color));
  return html`<ol class="swatches">
      ${colors.filter(isMajor).map((color) => drawSwatch(color, merges))}
    </ol>
    ${
      minor.length > 0 &&
      html`<h3>Seen once, and little of it</h3>
        <ol class="chips">
          ${minor.map(drawChip)}
        </ol>`
    }`;
}

function countImages(color: ColorToken): number {
  return new Set(color.sources.map((source) => source.image)).size;
}

function drawSwatch(color: ColorToken, merges: readonly ColorMerge[]): Markup {
  const shades = merges.find((merge) => merge.token === color.name)?.shades ?? [];
  const images = [...new Set(color.sources.map((source) => source.image))];
  return html`<li class="swatch">
    <div class="paint" style="background:${color.value}">
      <span style="color:${readableOn(color.value)}">Aa</span>
      ${
        shades.length > 0 &&
        html`<span class="shades" title="${count(shades.length, "shade")} merged">
          ${shades.map((shade) => html`<i style="background:${shade.value}"></i>`)}
        </span>`
      }
    </div>
    <div class="label">
      <strong>${color.name}</strong>
      <span class="value"
        ><code>${color.value}</code>
        <small class="number">${(color.combined * 100).toFixed(0)} %</small></span
      >
      ${drawMeter(color.combined, "confidence")}
      <small title="${images.join("\n")}">
        ${percent(color.coverage)} of all, ${count(images.length, "picture")}
      </small>
    </div>
  </li>`;
}

/** Black or white, whichever contrasts more. */
function readableOn(hex: string): string {
  const onWhite = judgeContrast("#ffffff", hex, 16).ratio;
  return onWhite >= judgeContrast("#000000", hex, 16).ratio ? "#ffffff" : "#000000";
}

/** A bar from 0 to 100 % with its number. */
export function drawMeter(share: number, word: string): Markup {
  const value = (share * 100).toFixed(0);
  return html`<span
    class="meter"
    role="img"
    aria-label="${word} ${value} %"
    title="${word} ${value} %"
  >
    <i style="width:${value}%"></i
  ></span>`;
}

function drawChip(color: ColorToken): Markup {
  const images = color.sources.map((source) => source.image).join(", ");
  return html`<li title="${images}, ${percent(color.coverage)}">
    <i style="background:${color.value}"></i><b>${color.name}</b> <code>${color.value}</code>
  </li>`;
}

/** Which shades became one token, how far apart they are, and where each was seen. */
export function drawMerges(merges: readonly ColorMerge[]): Markup {
  if (merges.length === 0)
    return html`<p class="none">No two shades were close enough to be one.</p>`;
  return html`<ul class="merges">
    ${merges.map(
      (merge) =>
        html`<li>
          <div class="from">
            ${merge.shades.map(
              (shade) =>
                html`<div>
                  <i style="background:${shade.value}"></i>
                  <code>${shade.value}</code>
                  <span
                    >${shade.distance === 0 ? "kept" : `${shade.distance.toFixed(2)} away`}</span
                  >
                  <small
                    >${[...new Set(shade.sources.map((source) => source.image))].join(", ")}</small
                  >
                </div>`,
            )}
          </div>
          <span class="arrow" aria-hidden="true">→</span>
          <div class="into">
            <i style="background:${merge.value}"></i>
            <strong>${merge.token}</strong>
            <code>${merge.value}</code>
          </div>
        </li>`,
    )}
  </ul>`;
}
