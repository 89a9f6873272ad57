// Files of pipelines as people get them wrong: each fault is told in one paragraph with exit 2, all faults of
// a file together, and nothing is started or written.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const byId = (stages: string, more: string = ""): string => `
import { definePipeline } from "millrace";
const run = () => 1;
export const broken = definePipeline({ name: "broken", stages: [${stages}], ${more} });
`;

const host = startHost({
  "duplicate.ts": byId(`{ id: "a", run }, { id: "a", run }`),
  "unknown.ts": byId(`{ id: "fetch", run }, { id: "parse", needs: ["fecth"], run }`),
  "cycle.ts": byId(`{ id: "a", needs: ["b"], run }, { id: "b", needs: ["a"], run }`),
  "two-faults.ts": byId(`{ id: "a", run }, { id: "a", run }, { id: "b", needs: ["nowhere"], run }`),
  "misspelt.ts": byId(`{ id: "a", run, retry: { max_delay: "1s" }, timeot: "1s", "x-note": 1 }`),
  "noted.ts": byId(`{ id: "a", run, "x-note": "ours" }`, `"x-owner": "ana"`),
  "bare-number.ts": byId(`{ id: "a", run, timeout: "30" }`),
  "thirty.ts": byId(`{ id: "a", run, timeout: "30s" }, { id: "b", run, timeout: 30000 }`),
  "syntax.ts": "export const x = ;\n",
  "enum.ts": "export const a: number = 1;\nenum Color { Red }\n",
  "parameter.ts": "class A {\n  constructor(private x: number) {}\n}\n",
  "package-missing.ts": `import "left-padx";\n`,
  "file-missing.ts": `import "./nowhere.ts";\n`,
  "throws.ts": `\nthrow new Error("no database");\n`,
  "empty.ts": "export const x = 1;\n",
  "several.ts": `${byId(`{ id: "a", run }`)}export const second = definePipeline({ name: "second", stages: [{ id: "b", run }] });`,
  "good/crawl.ts": byId(`{ id: "a", run }`),
});

afterAll(() => host.close());

/** stderr of a call that must end with 2, and leave no store behind. */
async function refused(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.call(argv);
  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(existsSync(join(host.folder, ".millrace"))).toBe(false);
  return stderr;
}

test("R4: validate of a file with two stages a says duplicate and a, exit 2", async () => {
  const told = await refused("validate", "duplicate.ts");

  expect(told).toContain('stages.a: duplicate stage "a": two stages have this name');
  expect(told).toContain("code   DEFINITION_INVALID (exit 2)");
});

test("R5: validate names the unknown need and the stage, and suggests the nearest, exit 2", async () => {
  expect(await refused("validate", "unknown.ts")).toContain(
    'stages.parse.needs: needs "fecth", which is no stage of this pipeline (did you mean "fetch"?)',
  );
});

test("R6 R7: a cycle is shown with its path, a pipeline without an entry is invalid, exit 2", async () => {
  const told = await refused("validate", "cycle.ts");

  expect(told).toContain("needs go round in a cycle: a -> b -> a");
  expect(told).toContain("no entry: every stage needs another one");
});

test("R8: a duplicate id and an unknown need are told in one call", async () => {
  const told = await refused("plan", "two-faults.ts");

  expect(told).toContain("is not valid, 2 faults:");
  expect(told).toContain('duplicate stage "a"');
  expect(told).toContain('needs "nowhere"');
});

test("R9: run of an invalid file exits 2 with every fault as data, and makes no run, event or file", async () => {
  const { exitCode, stdout } = await host.call(["run", "two-faults.ts", "--json"]);

  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: "millrace.error/1",
    error: {
      code: "DEFINITION_INVALID",
      details: { faults: [{ path: "stages.a" }, { path: "stages.b.needs" }] },
    },
  });
  expect(existsSync(join(host.folder, ".millrace"))).toBe(false);
});

test("R10: a misspelt key is refused with the nearest, exit 2; keys with x- are free", async () => {
  const told = await refused("validate", "misspelt.ts");

  expect(told).toContain(
    'stages.a.timeot: "timeot" is not an option here (did you mean "timeout"?)',
  );
  expect(told).not.toContain("x-note");
  expect((await host.call(["validate", "noted.ts"])).exitCode).toBe(0);
});

test('R283: "30s" equals 30000, "30" as text is exit 2, max_delay is exit 2 and suggests maxDelay', async () => {
  const { exitCode, stdout } = await host.call(["show", "thirty.ts", "--json"]);

  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    stages: [
      { settings: { timeoutMs: { value: 30_000, origin: "stage" } } },
      { settings: { timeoutMs: { value: 30_000, origin: "stage" } } },
    ],
  });
  expect(await refused("validate", "bare-number.ts")).toContain('write "30ms" or "30s"');
  expect(await refused("validate", "misspelt.ts")).toContain(
    'stages.a.retry.max_delay: "max_delay" is not an option here (did you mean "maxDelay"?)',
  );
});

test.each([
  [
    "syntax.ts",
    /"syntax.ts" cannot be loaded: syntax.ts:1: syntax error: Expression expected$/m,
    /mend the line/,
  ],
  [
    "enum.ts",
    /"enum.ts" cannot be loaded: enum.ts:2: TypeScript enum cannot be run without compiling$/m,
    /write a const object or a union of literals instead/,
  ],
  [
    "parameter.ts",
    /parameter.ts:2: TypeScript parameter property cannot be run without compiling$/m,
    /declare the field and assign it in the constructor/,
  ],
  [
    "package-missing.ts",
    /it imports the package "left-padx", which is not installed$/m,
    /npm install left-padx/,
  ],
  [
    "file-missing.ts",
    /it imports ".*nowhere.ts", which does not exist$/m,
    /relative imports carry their ending/,
  ],
  ["throws.ts", /throws.ts:2: it threw Error: no database$/m, /work belongs into stages/],
  ["empty.ts", /"empty.ts" exports no pipeline$/m, /export const crawl = pipeline\(/],
])("%s is told in one paragraph with its place and what to write", async (file, message, hint) => {
  const told = await refused("run", file);

  expect(told).toMatch(message);
  expect(told).toMatch(hint);
  expect(told).toContain("code   PIPELINE_FILE_INVALID (exit 2)");
  expect(told).not.toMatch(/^\s+at /m);
  expect(told).not.toMatch(/\n\s*\n/);
});

test("a file that does not exist is told with a similar one, as a command that works", async () => {
  const told = await refused("plan", "good/crwal.ts");

  expect(told).toContain('error: there is no pipeline file "good/crwal.ts"');
  expect(told).toContain('hint   did you mean "good/crawl.ts"?');
  expect(told).toContain("next   npx millrace run good/crawl.ts");
  expect((await host.call(["plan", "good/crawl.ts"])).exitCode).toBe(0);
});

test("of several pipelines one is named with #, by its own name or that of its export", async () => {
  expect(await refused("plan", "several.ts")).toContain('holds 2 pipelines: "broken" and "second"');
  expect(await refused("plan", "several.ts#secnd")).toContain('did you mean "second"?');
  const { stdout } = await host.call(["plan", "several.ts#second", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ pipeline: "second" });
});

test("a name that no configuration lists is told with the file that has it", async () => {
  const folder = host.makeFolder({ "pipelines/crawl.ts": byId(`{ id: "a", run }`) });

  const { exitCode, stderr } = await host.call(["plan", "crawl"], { folder });

  expect(exitCode).toBe(2);
  expect(stderr).toContain('hint   did you mean "pipelines/crawl.ts"?');
  expect(
    documentOf(await host.call(["plan", "pipelines/crawl.ts", "--json"], { folder })),
  ).toMatchObject({
    pipeline: "broken",
  });
});

test("a .ts file in a package whose manifest says CommonJS is loaded all the same", async () => {
  const folder = host.makeFolder({
    "package.json": `{ "name": "old", "type": "commonjs" }`,
    "helper.ts": "export const id: string = 'a';",
    "crawl.ts": `import { id } from "./helper.ts";\nimport { definePipeline } from "millrace";\nexport const p = definePipeline({ name: "p", stages: [{ id, run: () => 1 }] });`,
  });

  expect((await host.call(["plan", "crawl.ts"], { folder })).exitCode).toBe(0);
});
