// Can everybody read it, and can everybody tell it apart: text as it was seen with its contrast, and pairs
// of colours that look alike to some people.
import {
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  formatHex,
} from "culori";
import type { Vision, VisionConflict } from "../tokens/color-vision.ts";
import { CONTRAST_MIN } from "../tokens/contrast.ts";
import type { ContrastRow } from "../tokens/validate.ts";
import type { ColorToken } from "../tokens/token.ts";
import { count, html } from "./markup.ts";
import type { Markup } from "./markup.ts";

/** The table of text on ground; what fails comes first. */
export function drawContrast(rows: readonly ContrastRow[], colors: readonly ColorToken[]): Markup {
  if (rows.length === 0) return html`<p class="none">No text was found in these pictures.</p>`;
  const values = new Map(colors.map((color) => [color.name, color.value]));
  const sorted = [...rows].sort((one, other) => Number(one.aa) - Number(other.aa));
  return html`<table>
    <thead>
      <tr>
        <th>Sample</th>
        <th>Text on ground</th>
        <th>Ratio</th>
        <th>AA</th>
        <th>AAA</th>
        <th>Seen</th>
      </tr>
    </thead>
    <tbody>
      ${sorted.map((row) => drawRow(row, values))}
    </tbody>
  </table>`;
}

function drawRow(row: ContrastRow, values: ReadonlyMap<string, string>): Markup {
  const [ink, ground] = [values.get(row.ink) ?? "", values.get(row.ground) ?? ""];
  const size = Math.min(30, Math.max(13, row.sizePx));
  const needed = (level: "aa" | "aaa"): number =>
    CONTRAST_MIN[level][row.large ? "large" : "normal"];
  return html`<tr>
    <td>
      <span class="sample" style="color:${ink};background:${ground};font-size:${size}px"
        >Sample</span
      >
    </td>
    <td>
      <strong>${row.ink}</strong> on <strong>${row.ground}</strong>
      <small>${row.large ? "large text" : "text"} from ${row.sizePx} px</small>
    </td>
    <td class="number" data-label="Ratio">${row.ratio.toFixed(2)}</td>
    <td data-label="AA">${drawVerdict(row.aa, needed("aa"))}</td>
    <td data-label="AAA">${drawVerdict(row.aaa, needed("aaa"))}</td>
    <td data-label="Seen">
      <small title="${row.images.join("\n")}">
        ${count(row.glyphs, "letter")}, ${count(row.images.length, "picture")}</small
      >
    </td>
  </tr>`;
}

/** The word carries the meaning; shape and colour repeat it. */
function drawVerdict(passes: boolean, needed: number): Markup {
  return passes
    ? html`<span class="verdict pass" title="needs ${needed}">✓ passes</span>`
    : html`<span class="verdict fail" title="needs ${needed}">✕ fails</span>`;
}

const FILTERS: Readonly<Record<Vision, (color: string) => string>> = {
  protanopia: (color) => formatHex(filterDeficiencyProt(1)(color)),
  deuteranopia: (color) => formatHex(filterDeficiencyDeuter(1)(color)),
  tritanopia: (color) => formatHex(filterDeficiencyTrit(1)(color)),
};

const CONES: Readonly<Record<Vision, string>> = {
  protanopia: "without red cones",
  deuteranopia: "without green cones",
  tritanopia: "without blue cones",
};

const CONFLICTS_SHOWN_MAX = 8;

/** Pairs that some people cannot tell apart, as most see them and as those people do. */
export function drawConflicts(
  conflicts: readonly VisionConflict[],
  colors: readonly ColorToken[],
): Markup {
  if (conflicts.length === 0) {
    return html`<p class="none">
      Every pair of colours stays distinct without any one kind of cones.
    </p>`;
  }
  const values = new Map(colors.map((color) => [color.name, color.value]));
  const rest = conflicts.length - CONFLICTS_SHOWN_MAX;
  return html`<ul class="conflicts">
      ${conflicts.slice(0, CONFLICTS_SHOWN_MAX).map((conflict) => {
        const pair = [values.get(conflict.one) ?? "", values.get(conflict.other) ?? ""];
        return html`<li>
          <span class="pair">${pair.map((hex) => html`<i style="background:${hex}"></i>`)}</span>
          <span class="arrow" aria-hidden="true">→</span>
          <span class="pair"
            >${pair.map((hex) => html`<i style="background:${FILTERS[conflict.vision](hex)}"></i>`)}</span
          >
          <span
            ><strong>${conflict.one}</strong> and <strong>${conflict.other}</strong>
            <small
              >${CONES[conflict.vision]} (${conflict.vision}): ${conflict.normal.toFixed(0)} apart
              becomes ${conflict.seen.toFixed(1)}</small
            ></span
          >
        </li>`;
      })}
    </ul>
    ${rest > 0 && html`<p class="none">${count(rest, "more pair")} in report.json.</p>`}`;
}
