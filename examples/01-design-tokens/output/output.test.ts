import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { paintBitmap } from "../image/paint.ts";
import { encodePng } from "../image/png-file.ts";
import type { Token } from "../tokens/token.ts";
import { validateTokens } from "../tokens/validate.ts";
import { renderFiles } from "./render-files.ts";
import type { ReportInput } from "./report.ts";
import { assertWritten, writeFiles } from "./write-files.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "output-"));
});
afterEach(() => rm(folder, { recursive: true }));

const evidence = { confidence: 0.9, combined: 0.95 };

const TOKENS: readonly Token[] = [
  {
    ...evidence,
    kind: "color",
    name: "red-500",
    value: "#e53935",
    coverage: 0.25,
    sources: [
      { image: "a.png", value: "#e53935", confidence: 0.9, weight: 0.2 },
      { image: "<b>.png", value: "#e43836", confidence: 0.8, weight: 0.05 },
    ],
  },
  { ...evidence, kind: "color", name: "white", value: "#ffffff", coverage: 0.5, sources: [] },
  { ...evidence, kind: "spacing", name: "unit", value: 8, sources: [] },
  { ...evidence, kind: "spacing", name: "3", value: 24, sources: [] },
  { ...evidence, kind: "radius", name: "md", value: 8, sources: [] },
  { ...evidence, kind: "text", name: "base", value: 16, sources: [] },
];

function makeInput(): ReportInput {
  const size = { width: 8, height: 8 };
  const uses = [{ ink: "white", ground: "red-500", sizePx: 16, glyphs: 9, images: ["a.png"] }];
  const errors = [{ file: "<i>c</i>.png", part: "preprocess", message: 'is "cut" & damaged' }];
  const thumbnail = encodePng(paintBitmap({ ...size, color: "#e53935" }));
  return {
    brand: "Ø <script>alert(1)</script>",
    set: validateTokens({ images: 2, tokens: TOKENS, uses, errors }, { strict: false }),
    images: [{ file: "<b>.png", source: size, size, bytes: 90, seenShare: 1, thumbnail }],
    difference: { added: [{ path: "color.white", after: "#ffffff" }], removed: [], changed: [] },
  };
}

function textOf(name: string): string {
  const found = renderFiles(makeInput()).find((file) => file.name === name);
  return String(found?.content);
}

function collectLeaves(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  if ("$value" in value) return [{ ...value }];
  return Object.values(value).flatMap(collectLeaves);
}

test("R300: every leaf of tokens.json has a type and a value, and names its sources", () => {
  const json: unknown = JSON.parse(textOf("tokens.json"));
  const leaves = collectLeaves(json);
  expect(leaves).toHaveLength(TOKENS.length);
  for (const leaf of leaves) expect(leaf["$type"]).toMatch(/^(color|dimension)$/);
  expect(json).toMatchObject({
    color: {
      "red-500": {
        $type: "color",
        $value: { colorSpace: "srgb", components: [0.898, 0.2235, 0.2078], hex: "#e53935" },
        $extensions: {
          "dev.millrace.evidence": { sources: [{ image: "a.png" }, { image: "<b>.png" }] },
        },
      },
    },
    space: { unit: { $type: "dimension", $value: { value: 8, unit: "px" } } },
  });
});

test("R300: CSS and SCSS hold every token once", () => {
  expect(textOf("tokens.css")).toBe(`:root {
  --color-red-500: #e53935;
  --color-white: #ffffff;

  --space-unit: 8px;
  --space-3: 24px;

  --radius-md: 8px;

  --text-base: 16px;
}
`);
  const scss = textOf("tokens.scss");
  expect(scss).toContain("$color-red-500: #e53935;");
  expect(scss).toContain('$spaces: (\n  "unit": $space-unit,\n  "3": $space-3,\n);');
});

test("R300: theme.ts and tailwind.config.js are modules that load", async () => {
  for (const name of ["theme.ts", "tailwind.config.js"]) {
    await writeFile(join(folder, name), textOf(name));
  }
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  const theme: unknown = await import(
    /* @vite-ignore */ pathToFileURL(join(folder, "theme.ts")).href
  );
  expect(theme).toMatchObject({
    theme: { color: { "red-500": "#e53935" }, space: { unit: "8px" }, text: { base: "16px" } },
    cssVariables: { "--color-red-500": "#e53935", "--radius-md": "8px" },
  });
  const script =
    'import c from "./tailwind.config.js"; console.log(JSON.stringify(c.theme.extend))';
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
  });
  expect(JSON.parse(printed.toString())).toEqual({
    colors: { "red-500": "#e53935", white: "#ffffff" },
    spacing: { unit: "8px", "3": "24px" },
    borderRadius: { md: "8px" },
    fontSize: { base: "16px" },
  });
});

test("R300: figma.json gives every variable a collection, a type and one value", () => {
  const figma: unknown = JSON.parse(textOf("figma.json"));
  expect(figma).toMatchObject({
    variableCollections: [{ action: "CREATE", initialModeId: "default" }],
    variables: [
      { name: "color/red-500", resolvedType: "COLOR" },
      { name: "color/white" },
      { name: "space/unit", resolvedType: "FLOAT" },
      { name: "space/3" },
      { name: "radius/md", scopes: ["CORNER_RADIUS"] },
      { name: "text/base", scopes: ["FONT_SIZE"] },
    ],
    variableModeValues: [
      { variableId: "color/red-500", value: { r: 0.898, g: 0.2235, b: 0.2078, a: 1 } },
      { value: { r: 1, g: 1, b: 1 } },
      { value: 8 },
      { value: 24 },
      { value: 8 },
      { value: 16 },
    ],
  });
});

test("R300: report.json lists merges with sources, contrast, scores and errors by file", () => {
  const report: unknown = JSON.parse(textOf("report.json"));
  expect(report).toMatchObject({
    merges: [
      {
        token: "red-500",
        shades: [
          { value: "#e53935", distance: 0, sources: [{ image: "a.png" }] },
          { value: "#e43836", distance: 0.5148, sources: [{ image: "<b>.png" }] },
        ],
      },
    ],
    contrast: [{ ink: "white", ground: "red-500", ratio: 4.2268, aa: false }],
    errors: { "<i>c</i>.png": [{ part: "preprocess" }] },
    scores: { completeness: 1 },
  });
  expect(textOf("report.json")).not.toContain("thumbnail");
});

test("R300: report.html is one file: no script, no request, and names from outside are text", () => {
  const page = textOf("report.html");
  expect(page).not.toMatch(/<script|<link|<iframe|javascript:|@import|url\(/i);
  expect(page.match(/(?:src|href)="(?!data:image\/png;base64,)/g)).toBeNull();
  expect(page).toContain("default-src 'none'");
  expect(page).toContain("Ø &lt;script&gt;alert(1)&lt;/script&gt;");
  expect(page).toContain("&lt;i&gt;c&lt;/i&gt;.png");
  expect(page).toContain("is &quot;cut&quot; &amp; damaged");
  expect(page).toContain("✕ fails");
  expect(page).not.toMatch(/undefined|NaN|\[object/);
});

test("R300: equal input gives equal bytes", () => {
  expect(renderFiles(makeInput())).toEqual(renderFiles(makeInput()));
});

test("files are replaced as a whole; no draft is left", async () => {
  const out = join(folder, "new", "out");
  await writeFiles(out, [{ name: "a.txt", content: "old" }], "one");
  const written = await writeFiles(out, [{ name: "a.txt", content: "new" }], "two");
  expect(await readdir(out)).toEqual(["a.txt"]);
  expect(await readFile(join(out, "a.txt"), "utf8")).toBe("new");
  await assertWritten(out, written);
  await writeFile(join(out, "a.txt"), "torn");
  await expect(assertWritten(out, written)).rejects.toThrow("is not what was written");
});

test("a file that cannot take its name leaves no draft and keeps what was there", async () => {
  await writeFiles(join(folder, "a.txt"), [{ name: "inside", content: "x" }], "one");
  await expect(writeFiles(folder, [{ name: "a.txt", content: "y" }], "two")).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["a.txt"]);
});
