// A report as Markdown. Text of user code is escaped, so that it stays text in every viewer.

import type { ReportTable, ReportText } from "./report-tables.ts";

/** The report; ends with a line feed. */
export function renderMarkdown({ title, facts, tables }: ReportText): string {
  const lines = [
    `# ${escape(title)}`,
    "",
    ...facts.map(([label, text]) => `- ${label}: ${escape(text)}`),
    ...tables.flatMap((table) => ["", `## ${table.title}`, "", ...renderTable(table)]),
  ];
  return `${lines.join("\n")}\n`;
}

function renderTable({ columns, rows }: ReportTable): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(" | ")} |`;
  return [line(columns), `|${columns.map(() => " --- |").join("")}`, ...rows.map(line)];
}

function escape(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>#|~]/g, String.raw`\$&`);
}
