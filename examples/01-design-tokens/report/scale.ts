// The lengths, drawn at their own size: distances as bars on the grid, radii as corners, text as text.
import type { LengthToken } from "../tokens/token.ts";
import { drawMeter } from "./palette.ts";
import { count, html } from "./markup.ts";
import type { Markup } from "./markup.ts";

/** The grid unit and its multiples. */
export function drawSpacing(tokens: readonly LengthToken[]): Markup {
  const unit = tokens.find((token) => token.name === "unit");
  if (unit === undefined) {
    return html`<p class="none">The distances in these pictures follow no common unit.</p>`;
  }
  const longest = Math.max(...tokens.map((token) => token.value));
  const zoom = [8, 4, 2].find((factor) => factor * longest <= 640) ?? 1;
  return html`<p>
      Distances are multiples of <strong>${unit.value} px</strong>, which explains
      ${(unit.confidence * 100).toFixed(0)} % of them beyond chance. Drawn at ${zoom} : 1.
    </p>
    <ul class="lengths" style="--cell:${unit.value * zoom}px">
      ${tokens
        .filter((token) => token !== unit)
        .map(
          (token) =>
            html`<li>
              <span><strong>space-${token.name}</strong> <code>${token.value}px</code></span>
              <span class="rule"><i style="width:${token.value * zoom}px"></i></span>
              <small>${describeSources(token, "time")}</small>
            </li>`,
        )}
    </ul>`;
}

function describeSources(token: LengthToken, word: string): string {
  const times = token.sources.reduce((sum, source) => sum + source.weight, 0);
  const images = new Set(token.sources.map((source) => source.image)).size;
  return `${count(times, word)} in ${count(images, "picture")}`;
}

/** One corner for each radius. */
export function drawRadii(tokens: readonly LengthToken[]): Markup {
  if (tokens.length === 0) return html`<p class="none">No rounded boxes were found.</p>`;
  const largest = Math.max(...tokens.map((token) => token.value));
  const zoom = [4, 3, 2].find((factor) => factor * largest <= 72) ?? 1;
  return html`<p class="hint">Drawn at ${zoom} : 1.</p>
    <ul class="radii">
      ${tokens.map(
        (token) =>
          html`<li>
            <i style="border-top-left-radius:${token.value * zoom}px"></i>
            <strong>radius-${token.name}</strong> <code>${token.value}px</code>
            ${drawMeter(token.combined, "confidence")}
            <small>${describeSources(token, "corner")}</small>
          </li>`,
      )}
    </ul>`;
}

/** Largest first, each set in its own size. */
export function drawText(tokens: readonly LengthToken[]): Markup {
  if (tokens.length === 0) return html`<p class="none">No text was found in these pictures.</p>`;
  return html`<ul class="texts">
    ${tokens.toReversed().map(
      (token) =>
        html`<li>
          <span class="specimen" style="font-size:${Math.min(96, token.value)}px"
            >Every size that was seen</span
          >
          <span
            ><strong>text-${token.name}</strong> <code>about ${token.value}px</code>
            <small>${describeSources(token, "letter")}</small></span
          >
        </li>`,
    )}
  </ul>`;
}
