// `report.html`: one file that asks the network for nothing and runs no script. What was to be reached, then what
// became of every document. Whatever hosts and lists say is shown as text.
import { join } from "node:path";
import type { Gathered, Line } from "../manifest/gather.ts";
import { replaceFile } from "../store/content-store.ts";
import { measureTargets } from "./targets.ts";
import type { Target } from "./targets.ts";

/** Writes the report and `report.json` with the targets. */
export async function writeReport(
  out: string,
  gathered: Gathered,
): Promise<{ readonly path: string; readonly targets: readonly Target[] }> {
  const targets = await measureTargets(out, gathered);
  const path = join(out, "report.html");
  await replaceFile(path, drawReport(gathered, targets));
  await replaceFile(join(out, "report.json"), `${JSON.stringify({ targets }, null, 2)}\n`);
  return { path, targets };
}

function drawReport({ lines, summary }: Gathered, targets: readonly Target[]): string {
  const { succeeded, skipped, failed, open, files, bytes } = summary;
  const megabytes = (bytes / 1e6).toFixed(1);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Downloads</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${succeeded} of ${summary.total} documents</h1>
<p class="lead">${skipped} skipped, ${failed} failed, ${open} open.
${files} files, ${megabytes} MB.</p>
<h2>Targets</h2>
<table>
<thead><tr><th>Target</th><th>Aim</th><th>Measured</th><th></th></tr></thead>
<tbody>
${targets.map(drawTarget).join("\n")}
</tbody>
</table>
<h2>Documents</h2>
<table>
<thead><tr><th>Id</th><th>End</th><th>Reason</th><th>Found by</th><th>Address</th>
<th class="number">Bytes</th><th class="number">Attempts</th></tr></thead>
<tbody>
${lines.map(drawLine).join("\n")}
</tbody>
</table>
</main>
</body>
</html>
`;
}

function drawTarget({ name, aim, measured, isMet }: Target): string {
  const end = isMet ? `<td class="succeeded">met</td>` : `<td class="failed">missed</td>`;
  return `<tr><td>${escape(name)}</td><td>${escape(aim)}</td><td>${escape(measured)}</td>${end}</tr>`;
}

function drawLine({ record }: Line): string {
  const { id, outcome, reason, resolver, address, bytes, file, attempts } = record;
  const name = file === null ? escape(id) : `<a href="${escape(file)}">${escape(id)}</a>`;
  return `<tr><td>${name}</td><td class="${outcome}">${outcome}</td><td>${escape(reason ?? "")}</td>
<td>${escape(resolver ?? "")}</td><td class="address">${escape(address ?? "")}</td>
<td class="number">${bytes ?? ""}</td><td class="number">${attempts ?? ""}</td></tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

const STYLE = `
:root { --ink: light-dark(#1d2329, #e4e8ec); --soft: light-dark(#5b6670, #9aa5b0); --line: light-dark(#d9dee3, #333c45);
--good: light-dark(#12693f, #6ad39b); --bad: light-dark(#a62b1f, #ff9a8d); --page: light-dark(#fff, #14181c); }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1rem 4rem; overflow-x: auto; }
h1 { margin: 0; font-size: 2rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
.lead { margin: .25rem 0 0; color: var(--soft); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; } th, td { padding: .35rem .75rem .35rem 0; text-align: start;
vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.number { text-align: end; } .address { color: var(--soft); font-size: .85rem; } a { color: inherit; }
.succeeded { color: var(--good); } .failed { color: var(--bad); } .skipped { color: var(--soft); }
`;
