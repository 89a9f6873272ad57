// A report as one HTML file that asks for nothing: no script, no font, no picture from elsewhere, and a policy that
// forbids them. Whatever came from user code is text.

import type { ReportTable, ReportText } from "./report-tables.ts";

const STYLE = `
:root { color-scheme: light dark; --faint: #8a8f98; --line: #8884; --good: #1a7f5a; --bad: #c2410c; --bar: #3b82c4; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
h1.succeeded::before { content: "✓ "; color: var(--good); } h1.failed::before { content: "◆ "; color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt { color: var(--faint); } dd { margin: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
td:last-child { overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
svg { display: block; width: 12rem; height: .9rem; } svg rect { fill: var(--bar); }
`;

/** The report; ends with a line feed. */
export function renderHtml({ title, state, facts, tables }: ReportText): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1 class="${escape(state)}">${escape(title)}</h1>
<dl>
${facts.map(([label, text]) => `<dt>${escape(label)}</dt><dd>${escape(text)}</dd>`).join("\n")}
</dl>
${tables.map(renderTable).join("\n")}
</body>
</html>
`;
}

function renderTable({ title, columns, rows, spans }: ReportTable): string {
  const heads = spans === undefined ? columns : [...columns, "When"];
  const lines = rows.map((cells, index) => {
    const when = spans === undefined ? "" : `<td>${renderSpan(spans[index])}</td>`;
    return `<tr>${cells.map((cell) => `<td>${escape(cell)}</td>`).join("")}${when}</tr>`;
  });
  return `<h2>${escape(title)}</h2>
<div class="wide"><table>
<thead><tr>${heads.map((head) => `<th>${escape(head)}</th>`).join("")}</tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table></div>`;
}

/** Width of the shortest bar that can be seen, of 100. */
const BAR_MIN = 0.8;

/** A bar where in the run a stage was worked on; the whole run is the width. */
function renderSpan(span: readonly [from: number, to: number] | undefined): string {
  if (span === undefined) return "";
  const width = Math.max(BAR_MIN, (span[1] - span[0]) * 100);
  const from = Math.min(100 - width, span[0] * 100);
  const label = `${Math.round(span[0] * 100)}% to ${Math.round(span[1] * 100)}% of the run`;
  return `<svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${label}"><rect x="${from.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="6"/></svg>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
