import assert from "node:assert/strict";
import { test } from "vitest";
import { judgeStart } from "./start-weight.ts";

const SQLITE = "dist/chunks/sqlite-Ab_-1234.js";

function found(files: Readonly<Record<string, string>>): string[] {
  const dist: Readonly<Record<string, string>> = {
    "dist/exports/index.js": `export{a}from"../chunks/base-1.js";`,
    "dist/chunks/run-Ab_-1234.js": `import{a}from"./base-1.js";export{a};`,
    "dist/cli/main.js": `import{a}from"../chunks/base-1.js";const b=()=>import("../chunks/late-1.js");b(a);`,
    "dist/chunks/base-1.js": `const{join:a}=process.getBuiltinModule("node:path");export{a};`,
    "dist/chunks/late-1.js": `import late from"late";late();`,
    [SQLITE]: `import{a}from"./base-1.js";export{a};`,
    ...files,
  };
  return judgeStart(Object.keys(dist), (path) => dist[path] ?? "").map(({ file, rule, message }) =>
    `${file} ${rule} ${/^"[^"]+"/.exec(message)?.[0] ?? ""}`.trim(),
  );
}

test("a start may load what it likes of ours, and packages later", () => {
  assert.deepEqual(found({}), []);
});

test.each([
  [`import{run}from"execa";`],
  [`const a=1;import"execa";`],
  [`import execa,{run as b}from"execa";`],
  [`import*as c from"execa";`],
  [`export*from"execa";`],
  [`export{run}from"execa";`],
])("a package behind %s is found, however deep", (code) => {
  assert.deepEqual(found({ "dist/chunks/base-1.js": code }), [
    `dist/chunks/base-1.js start-loads-no-package "execa"`,
  ]);
});

test("a package that only the store brings is found too", () => {
  assert.deepEqual(found({ [SQLITE]: `import"zod";` }), [`${SQLITE} start-loads-no-package "zod"`]);
});

test("what Node would load besides is found, unless it is taken where it is used", () => {
  const late = `function f(){return process.getBuiltinModule("node:v8").getHeapStatistics()}`;
  const early = `const{deflateRawSync}=process.getBuiltinModule(\`node:zlib\`);`;

  assert.deepEqual(found({ "dist/chunks/base-1.js": late }), []);
  assert.deepEqual(found({ "dist/chunks/base-1.js": early }), [
    `dist/chunks/base-1.js start-loads-no-heavy-builtin "node:zlib"`,
  ]);
});

test("a start has a budget of bytes, and what is loaded later counts for nothing", () => {
  const heavy = `const text="${"x".repeat(900 * 1024)}";`;

  assert.deepEqual(found({ "dist/chunks/late-1.js": heavy }), []);
  assert.deepEqual(found({ [SQLITE]: heavy }), ["dist start-is-light"]);
});

test("a dist without its beginnings is no proof of anything", () => {
  assert.deepEqual(
    judgeStart([], () => "").map(({ rule }) => rule),
    ["start-is-known", "start-is-known", "start-is-known", "start-is-known"],
  );
});
