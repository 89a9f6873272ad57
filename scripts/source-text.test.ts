import assert from "node:assert/strict";
import * as fc from "fast-check";
import { test } from "vitest";
import { importsOf, readSource } from "./source-text.ts";

test("comments, strings, patterns and template text are blanks, and code in `${}` is kept", () => {
  const { bare, code, comments } = readSource(
    [
      `const a = "Date.now"; // Date.now`,
      "const b = `Math.random ${call({ deep: `x${inner}` })} console`;",
      `const c = /"console/.test(d) / 2; /* process`,
      `exit */ const e = 'it\\'s';`,
    ].join("\n"),
  );

  assert.equal(
    bare,
    [
      `const a = "        ";            `,
      "const b = `            ${call({ deep: ` ${inner}` })}        `;",
      `const c = /        /.test(d) / 2;           `,
      `        const e = '     ';`,
    ].join("\n"),
  );
  assert.match(code, /"Date\.now";\s+\n/);
  assert.deepEqual(comments.split(/\s{2,}/).filter(Boolean), [
    "// Date.now",
    "/* process\nexit */",
  ]);
});

test("every way to name another module is found with its kind and line", () => {
  const source = readSource(
    [
      `import a, { type B } from "./a.ts";`,
      `import type { C } from "./c.ts";`,
      `import "./d.ts";`,
      `export { e } from './e.ts';`,
      `export type {`,
      `  F,`,
      `} from "./f.ts";`,
      `const g = await import("./g.ts");`,
      `const h = new Worker(new URL("./h.ts", import.meta.url));`,
      `const page = new URL("./page.html", import.meta.url);`,
      `const text = 'import x from "./not.ts"'; // import "./nor.ts"`,
    ].join("\n"),
  );

  assert.deepEqual(
    importsOf(source).map(({ specifier, kind, line }) => `${line} ${kind} ${specifier}`),
    [
      "1 value ./a.ts",
      "2 type ./c.ts",
      "3 value ./d.ts",
      "4 value ./e.ts",
      "7 type ./f.ts",
      "8 dynamic ./g.ts",
      "9 worker ./h.ts",
    ],
  );
});

test("any text keeps its length and its line breaks, and the three parts make up the whole", () => {
  const piece = fc.constantFrom(
    "`",
    "${",
    "}",
    "{",
    '"',
    "'",
    "/",
    "*",
    "//",
    "\n",
    "\\",
    "a",
    " ",
    "=",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join("");
      const { bare, code, comments } = readSource(text);
      for (const part of [bare, code, comments]) {
        assert.equal(part.length, text.length);
        assert.deepEqual(part.replaceAll(/[^\n]/g, "").length, text.split("\n").length - 1);
      }
      const merged = Array.from(text, (_, at) => code.charAt(at).trim() || comments.charAt(at));
      assert.equal(merged.join("").replaceAll(/\s/g, ""), text.replaceAll(/\s/g, ""));
    }),
  );
});
