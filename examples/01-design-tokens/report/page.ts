// `report.html`: one file that asks the network for nothing and runs no script. It says first how good the
// set is, then shows it, then where it came from.
import { listMerges } from "../output/report.ts";
import type { ReportInput } from "../output/report.ts";
import { colorsOf, lengthsOf } from "../tokens/token.ts";
import type { Scores } from "../tokens/validate.ts";
import { drawConflicts, drawContrast } from "./contrast.ts";
import { drawDifference, drawErrors, drawImages } from "./images.ts";
import { count, html } from "./markup.ts";
import type { Content, Markup } from "./markup.ts";
import { drawMerges, drawPalette, drawRibbon } from "./palette.ts";
import { drawRadii, drawSpacing, drawText } from "./scale.ts";
import { STYLE } from "./style.ts";

/** The whole page. Equal input gives equal bytes. */
export function drawReport(input: ReportInput): string {
  const { brand, set } = input;
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta
        http-equiv="Content-Security-Policy"
        content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
      />
      <meta name="color-scheme" content="light dark" />
      <title>${brand}: design tokens</title>
      <style>
        ${{ markup: STYLE }}
      </style>
    </head>
    <body>
      <main>${drawHeader(input)} ${drawRibbon(colorsOf(set.tokens))} ${drawSections(input)}</main>
    </body>
  </html>`;
  return `<!doctype html>\n${page.markup.replace(/\s*\n\s*/g, "\n").trim()}\n`;
}

function drawHeader({ brand, set }: ReportInput): Markup {
  const unit = lengthsOf(set.tokens, "spacing").find((token) => token.name === "unit");
  const radii = lengthsOf(set.tokens, "radius").length;
  const texts = lengthsOf(set.tokens, "text").length;
  const facts = [
    count(colorsOf(set.tokens).length, "colour"),
    unit === undefined ? "" : `a ${unit.value} px grid`,
    radii === 0 ? "" : `${radii} ${radii === 1 ? "radius" : "radii"}`,
    texts === 0 ? "" : count(texts, "text size"),
  ].filter((fact) => fact !== "");
  return html`<header>
    <div>
      <p class="over">Design tokens</p>
      <h1>${brand}</h1>
      <p class="lead">
        ${count(set.tokens.length, "token")} from ${count(set.images, "picture")}:
        ${facts.join(", ")}.
      </p>
      ${set.errors.length > 0 && html`<p><span class="verdict fail">✕ ${count(set.errors.length, "error")}</span></p>`}
      ${set.strict && html`<p><small>Strict: ${count(set.dropped, "token")} left out.</small></p>`}
    </div>
    ${drawScores(set.scores)}
  </header>`;
}

function drawScores(scores: Scores): Markup {
  const rows = [
    ["Accessibility", scores.accessibility, "share of text that reaches AA"],
    ["Quality", scores.quality, "0.5 confidence, 0.3 completeness, 0.2 naming"],
    ["Confidence", scores.confidence, "mean of all tokens"],
    ["Completeness", scores.completeness, "kinds of tokens found, of four"],
    ["Naming", scores.naming, "names that needed no number"],
  ] as const;
  return html`<section class="scores" aria-label="Scores">
    ${drawRing(scores.overall)}
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
  </section>`;
}

function drawRing(share: number): Markup {
  const length = 2 * Math.PI * 52;
  const shown = (share * 100).toFixed(0);
  return html`<svg
    class="ring"
    viewBox="0 0 120 120"
    role="img"
    aria-label="Overall ${shown} of 100"
  >
    <circle cx="60" cy="60" r="52" />
    <circle
      class="value"
      cx="60"
      cy="60"
      r="52"
      stroke-dasharray="${(length * share).toFixed(1)} ${length.toFixed(1)}"
    />
    <text x="60" y="64">${shown}</text>
    <text class="unit" x="60" y="82">overall</text>
  </svg>`;
}

function drawSections(input: ReportInput): Content {
  const { set, images, difference } = input;
  const colors = colorsOf(set.tokens);
  const merges = listMerges(set.tokens);
  return [
    set.errors.length > 0 &&
      section(
        "What could not be read",
        "The rest of the report leaves these out.",
        drawErrors(set.errors),
      ),
    difference !== undefined &&
      section(
        "What changed",
        "Against the earlier set of tokens that was given.",
        drawDifference(difference),
      ),
    section(
      "Palette",
      "Surest first. The bar is the confidence of all sightings together.",
      drawPalette(colors, merges),
    ),
    section(
      "Merged shades",
      "Shades at most 2.0 apart (CIEDE2000) are one token, with the value of the surest.",
      drawMerges(merges),
    ),
    section(
      "Contrast",
      "Text as it stands in the pictures, judged by WCAG 2: AA needs 4.5 (large text 3), AAA needs 7 (large 4.5).",
      drawContrast(set.contrast, colors),
    ),
    section(
      "Colour vision",
      "Pairs that are distinct to most people and alike to some.",
      drawConflicts(set.conflicts, colors),
    ),
    section("Spacing", undefined, drawSpacing(lengthsOf(set.tokens, "spacing"))),
    section("Corners", undefined, drawRadii(lengthsOf(set.tokens, "radius"))),
    section(
      "Text sizes",
      "Estimated from the height of capitals.",
      drawText(lengthsOf(set.tokens, "text")),
    ),
    section(
      "Pictures",
      "Every token above names the pictures it was seen in.",
      drawImages(images, set.tokens),
    ),
  ];
}

function section(title: string, lead: string | undefined, body: Markup): Markup {
  return html`<section>
    <h2>${title}</h2>
    ${lead !== undefined && html`<p class="hint">${lead}</p>`} ${body}
  </section>`;
}
