// All output files of a set, as names and contents. Nothing is written here.
import { drawReport } from "../report/page.ts";
import { toFigma } from "./figma.ts";
import { toReport } from "./report.ts";
import type { ReportInput } from "./report.ts";
import { toCss, toScss } from "./stylesheet.ts";
import { toTailwind, toTheme } from "./theme.ts";
import { toW3c } from "./w3c.ts";
import type { OutputFile } from "./write-files.ts";

/** The files, `report.html` last: whoever waits for it finds the others. */
export function renderFiles(input: ReportInput): OutputFile[] {
  const { tokens } = input.set;
  const files = [
    { name: "tokens.json", content: toJsonText(toW3c(tokens)) },
    { name: "tokens.css", content: toCss(tokens) },
    { name: "tokens.scss", content: toScss(tokens) },
    { name: "theme.ts", content: toTheme(tokens) },
    { name: "tailwind.config.js", content: toTailwind(tokens) },
    { name: "figma.json", content: toJsonText(toFigma(tokens)) },
    { name: "report.json", content: toJsonText(toReport(input)) },
  ];
  const difference =
    input.difference === undefined
      ? []
      : [{ name: "difference.json", content: toJsonText(input.difference) }];
  return [...files, ...difference, { name: "report.html", content: drawReport(input) }];
}

function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
