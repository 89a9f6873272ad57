// Where everything comes from: each picture with what was found in it, and what went wrong by file.
import type { ReportImage } from "../output/report.ts";
import type { TokenDifference } from "../tokens/difference.ts";
import type { FileError, Token } from "../tokens/token.ts";
import { count, html, percent } from "./markup.ts";
import type { Markup } from "./markup.ts";

/** A card per picture. */
export function drawImages(images: readonly ReportImage[], tokens: readonly Token[]): Markup {
  return html`<ol class="images">
    ${images.map((image) => drawImage(image, tokens))}
  </ol>`;
}

function drawImage(image: ReportImage, tokens: readonly Token[]): Markup {
  const own = tokens.filter((token) =>
    token.sources.some(({ image: file }) => file === image.file),
  );
  const colors = own.filter((token) => token.kind === "color");
  const isFitted = image.source.width !== image.size.width;
  const data = Buffer.from(image.thumbnail).toString("base64");
  return html`<li>
    <div class="frame"><img alt="" src="data:image/png;base64,${data}" /></div>
    <div class="label">
      <strong>${image.file}</strong>
      <small
        >${image.source.width} ×
        ${image.source.height}${
          isFitted && `, read at ${image.size.width} × ${image.size.height}`
        }${image.seenShare < 0.995 && `, ${percent(image.seenShare)} visible`}</small
      >
      <span class="dots">
        ${colors.slice(0, 16).map((color) => {
          return html`<i
            style="background:${color.value}"
            title="${color.name} ${color.value}"
          ></i>`;
        })}
      </span>
      <small
        >${count(colors.length, "colour")}, ${count(own.length - colors.length, "length")}</small
      >
    </div>
  </li>`;
}

/** What failed, by file and part, in the words of the error. */
export function drawErrors(errors: readonly FileError[]): Markup {
  return html`<ul class="errors">
    ${errors.map(
      (error) =>
        html`<li>
          <span class="verdict fail">✕ failed</span>
          <span><strong>${error.file}</strong> <small>${error.part}</small></span>
          <span>${error.message}</span>
        </li>`,
    )}
  </ul>`;
}

/** What is new, gone and different since an earlier set. */
export function drawDifference(difference: TokenDifference): Markup {
  const groups = [
    { word: "added", changes: difference.added },
    { word: "removed", changes: difference.removed },
    { word: "changed", changes: difference.changed },
  ].filter(({ changes }) => changes.length > 0);
  if (groups.length === 0) return html`<p class="none">Nothing: both sets are the same.</p>`;
  return html`<table>
    <thead>
      <tr>
        <th>Token</th>
        <th>Change</th>
        <th>Before</th>
        <th>After</th>
      </tr>
    </thead>
    <tbody>
      ${groups.flatMap(({ word, changes }) =>
        changes.map(
          (change) =>
            html`<tr>
              <td><strong>${change.path}</strong></td>
              <td data-label="Change">${word}</td>
              <td data-label="Before">${drawValue(change.before)}</td>
              <td data-label="After">${drawValue(change.after)}</td>
            </tr>`,
        ),
      )}
    </tbody>
  </table>`;
}

function drawValue(value: string | undefined): Markup {
  if (value === undefined) return html`<small>none</small>`;
  const isColor = /^#[0-9a-f]{6}$/.test(value);
  const dot = isColor && html`<i class="dot" style="background:${value}"></i>`;
  return html`<span>${dot} <code>${value}</code></span>`;
}
