// The API as one page that needs nothing else: no script, no outside host, its few rules of style from a route beside
// it. All text is escaped.

import type { OutlineField, OutlineRoute, OutlineSubject } from "./api-outline.ts";

/** Text as HTML shows it. */
function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Makes the page. Paths on it are relative, so that any prefix works. */
export function renderApiPage(subjects: readonly OutlineSubject[], version: string): string {
  const links = subjects.map(
    ({ name }) => `<a href="#${escapeHtml(name)}">${escapeHtml(name)}</a>`,
  );
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><title>millrace API</title>',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<link rel="stylesheet" href="api/page.css"></head><body>',
    "<header><h1>millrace API</h1>",
    `<p>Version ${escapeHtml(version)}. <a href="api/v1/openapi.json">OpenAPI document</a></p>`,
    `<nav>${links.join(" · ")}</nav></header><main>`,
    ...subjects.map(renderSubject),
    "</main></body></html>",
    "",
  ].join("\n");
}

function renderSubject({ name, routes }: OutlineSubject): string {
  const id = escapeHtml(name);
  return `<section id="${id}"><h2>${id}</h2>${routes.map(renderRoute).join("\n")}</section>`;
}

function renderRoute({ method, path, role, summary, fields, answer }: OutlineRoute): string {
  return [
    "<article>",
    `<h3><code>${escapeHtml(method)} ${escapeHtml(path)}</code> <small>${escapeHtml(role)}</small></h3>`,
    `<p>${escapeHtml(summary)}${answer === "" ? "" : ` → ${escapeHtml(answer)}`}</p>`,
    fields.length === 0 ? "" : `<table><tbody>${fields.map(renderField).join("")}</tbody></table>`,
    "</article>",
  ].join("");
}

function renderField({ name, place, isRequired, type, description }: OutlineField): string {
  const cells = [
    `<code>${escapeHtml(name)}</code>`,
    `${place}${isRequired ? ", required" : ""}`,
    escapeHtml(type),
    escapeHtml(description),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

/** Its style. */
export const API_PAGE_CSS: string = `
:root { color-scheme: light dark; font: 14px/20px system-ui, sans-serif; }
body { margin: 0 auto; max-width: 960px; padding: 16px; }
h1 { font-size: 20px; line-height: 24px; }
h2 { border-bottom: 1px solid; font-size: 16px; line-height: 22px; margin-top: 32px; }
h3 { font-size: 14px; margin: 20px 0 4px; }
h3 small { font-weight: 450; opacity: 0.75; }
p { margin: 0 0 8px; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8886; padding: 4px 12px 4px 0; vertical-align: top; }
code { font: 13px/18px ui-monospace, monospace; overflow-wrap: break-word; }
`.trimStart();
