import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "vitest";
import { checkLayers } from "./check-layers.ts";
import { plant, runScript } from "./planted-tree.ts";

const MANIFEST = JSON.stringify({
  name: "millrace",
  exports: { ".": "./dist/exports/index.js", "./testing": "./dist/exports/testing.js" },
});

/** "file:line rule" of everything found in a planted tree. */
function found(files: Readonly<Record<string, string>>): string[] {
  using tree = plant({ "package.json": MANIFEST, ...files });
  return checkLayers(tree.root).map(({ file, line, rule }) => `${file}:${line ?? "-"} ${rule}`);
}

/** The first sentence found in a planted tree. */
function sentence(files: Readonly<Record<string, string>>): string {
  using tree = plant({ "package.json": MANIFEST, ...files });
  return checkLayers(tree.root)[0]?.message ?? "";
}

test("the repository itself is clean", { timeout: 30_000 }, () => {
  const root = join(import.meta.dirname, "..");
  assert.deepEqual(checkLayers(root), []);
});

describe("imports", () => {
  test("an upward import is found at its line, also when it is only a type", () => {
    const files = {
      "src/policy/retry.ts": `\nimport type { Worker } from "../engine/worker.ts";\n`,
      "src/engine/worker.ts": `export interface Worker {}\n`,
    };

    assert.deepEqual(found(files), ["src/policy/retry.ts:2 imports-go-down"]);
    assert.match(
      sentence(files),
      /^"policy" \(rank 2\) imports "src\/engine\/worker\.ts" \(rank 4\), and imports go down\. State a port here/,
    );
  });

  test("rooms of equal rank do not import each other", () => {
    assert.deepEqual(found({ "src/simulation/a.ts": `import "../config/load.ts";` }), [
      "src/simulation/a.ts:1 imports-go-down",
    ]);
  });

  test("a downward import passes, and so does a sibling", () => {
    const files = {
      "src/engine/claim.ts": `import "./lease.ts"; import "../policy/retry.ts"; import "../std/id.ts";`,
    };
    assert.deepEqual(found(files), []);
  });

  test("a re-export, a dynamic import and a worker file are edges like an import", () => {
    const files = {
      "src/std/a.ts": `export { b } from "../model/b.ts";`,
      "src/std/c.ts": `const d = await import("../model/d.ts");`,
      "src/std/e.ts": `start(new URL("../engine/f.ts", import.meta.url));`,
    };
    assert.deepEqual(found(files), [
      "src/std/a.ts:1 imports-go-down",
      "src/std/c.ts:1 imports-go-down",
      "src/std/e.ts:1 imports-go-down",
    ]);
  });

  test("configuration knows the nouns only", () => {
    assert.deepEqual(found({ "src/config/load.ts": `import "../policy/retry.ts";` }), [
      "src/config/load.ts:1 imports-go-down",
    ]);
  });

  test("a test may import the testing kit from any room, and its source may not", () => {
    const files = {
      "src/policy/a.test.ts": `import "../testing/clock.ts";`,
      "src/policy/a.ts": `import "../testing/clock.ts";`,
    };
    assert.deepEqual(found(files), ["src/policy/a.ts:1 imports-go-down"]);
  });

  test("nothing in src imports from outside it", () => {
    assert.deepEqual(found({ "src/engine/a.ts": `import "../../test/support/world.ts";` }), [
      "src/engine/a.ts:1 imports-go-down",
    ]);
  });

  test("a file outside the known rooms is refused", () => {
    assert.deepEqual(found({ "src/shared/a.ts": "", "src/loose.ts": "" }), [
      "src/loose.ts:- known-room",
      "src/shared/a.ts:- known-room",
    ]);
  });

  test("a ring is told once, with its path, and types count", () => {
    const files = {
      "src/model/a.ts": `import type { B } from "./b.ts";`,
      "src/model/b.ts": `import type { C } from "./c.ts";`,
      "src/model/c.ts": `import { a } from "./a.ts";`,
      "src/model/d.ts": `import { a } from "./a.ts";`,
    };
    assert.deepEqual(found(files), ["src/model/a.ts:- no-ring"]);
    assert.match(
      sentence(files),
      /a\.ts -> src\/model\/b\.ts -> src\/model\/c\.ts -> src\/model\/a\.ts/,
    );
  });

  test("a worker file that imports types of the file that starts it makes no ring", () => {
    const files = {
      "src/engine/beat.ts": `start(new URL("./beat-thread.ts", import.meta.url));`,
      "src/engine/beat-thread.ts": `import type { Beat } from "./beat.ts";`,
    };
    assert.deepEqual(found(files), []);
  });
});

describe("stores", () => {
  test("the engine imports the port and no concrete store; its tests may", () => {
    const files = {
      "src/engine/worker.ts": `import "../storage/store.ts"; import "../storage/sqlite/store.ts";`,
      "src/engine/worker.test.ts": `import "../storage/memory/store.ts";`,
    };
    assert.deepEqual(found(files), [
      "src/engine/worker.ts:1 imports-go-down",
      "src/engine/worker.ts:1 engine-names-no-store",
    ]);
  });

  test("the engine does not ask which store it has", () => {
    const files = {
      "src/engine/claim.ts": `// SQLite is fast.\nif (store.kind === "postgres") wait();\nconst isSqlite = 1;\n`,
    };
    assert.deepEqual(found(files), [
      "src/engine/claim.ts:2 engine-names-no-store",
      "src/engine/claim.ts:3 engine-names-no-store",
    ]);
  });

  test("one store does not import another", () => {
    assert.deepEqual(found({ "src/storage/sqlite/a.ts": `import "../memory/b.ts";` }), [
      "src/storage/sqlite/a.ts:1 stores-stay-apart",
    ]);
  });

  test("the command and the transport know no policy and no storage", () => {
    const files = {
      "src/cli/run.ts": `import "../storage/store.ts"; import "../service/run.ts";`,
      "src/http/run.ts": `import "../policy/retry.ts";`,
    };
    assert.deepEqual(found(files), [
      "src/cli/run.ts:1 imports-go-down",
      "src/http/run.ts:1 imports-go-down",
    ]);
  });
});

describe("doors", () => {
  test("an example that reaches past a door or out of its folder and the shared ones is found", () => {
    const files = {
      "examples/01-a/main.ts": [
        `import { pipeline } from "millrace";`,
        `import { seed } from "millrace/testing";`,
        `import { one } from "./parts/one.ts";`,
        `import { Store } from "millrace/storage";`,
        `import { claim } from "../../src/engine/claim.ts";`,
        `import { other } from "../02-b/main.ts";`,
      ].join("\n"),
      "examples/01-a/main.test.ts": `import "../../test/support/run.ts";`,
      "examples/01-a/stages.ts": `import { meetFault } from "../fault/fault.ts";`,
      "examples/fault/fault.ts": `import { main } from "../01-a/main.ts";`,
    };
    assert.deepEqual(found(files), [
      "examples/01-a/main.ts:4 examples-use-doors",
      "examples/01-a/main.ts:5 examples-use-doors",
      "examples/01-a/main.ts:6 examples-use-doors",
      "examples/fault/fault.ts:1 examples-use-doors",
    ]);
  });

  test("a door holds names only, each written out", () => {
    const names = `// The door.\nexport { a } from "../model/a.ts";\nexport type {\n  B,\n} from "../model/b.ts";\n`;
    const files = {
      "src/exports/good.ts": names,
      "src/exports/star.ts": `${names}export * from "../model/c.ts";\n`,
      "src/exports/code.ts": `${names}export const version = "1";\n`,
    };
    assert.deepEqual(found(files), [
      "src/exports/code.ts:6 doors-hold-names",
      "src/exports/star.ts:6 doors-hold-names",
    ]);
  });

  test("the dashboard sees the contract, as types", () => {
    const files = {
      "src/dashboard/api.ts": `import type { Run } from "../http/contract/run.ts"; import "react";`,
      "src/dashboard/bad.ts": `import { Run } from "../http/contract/run.ts";`,
      "src/dashboard/worse.ts": `import type { Run } from "../model/run.ts";`,
    };
    assert.deepEqual(found(files), [
      "src/dashboard/bad.ts:1 dashboard-sees-types",
      "src/dashboard/worse.ts:1 imports-go-down",
    ]);
  });
});

describe("packages", () => {
  test("a package is imported in its own place only", () => {
    const files = {
      "src/std/json.ts": `import canonicalize from "canonicalize";`,
      "src/engine/keys.ts": `import canonicalize from "canonicalize";`,
      "src/storage/sqlite/connection.ts": `import { DatabaseSync } from "node:sqlite";`,
      "src/service/open.ts": `import { DatabaseSync } from "node:sqlite";`,
      "src/config/schema.ts": `import * as z from "zod";`,
    };
    assert.deepEqual(found(files), [
      "src/engine/keys.ts:1 packages-have-one-place",
      "src/service/open.ts:1 packages-have-one-place",
    ]);
  });

  test("a package without a place, and a test tool in a file that ships, are found", () => {
    const files = {
      "src/engine/a.ts": `import chalk from "chalk";`,
      "src/testing/suite.ts": `import { test } from "vitest";`,
      "src/testing/suite.test.ts": `import { test } from "vitest";`,
    };
    assert.deepEqual(found(files), [
      "src/engine/a.ts:1 packages-have-one-place",
      "src/testing/suite.ts:1 packages-have-one-place",
    ]);
  });

  test("a pure room uses no built-in module but those that compute, with or without node:", () => {
    const files = {
      "src/policy/reuse.ts": `import { createHash } from "node:crypto";`,
      "src/policy/retry.ts": `import { readFileSync } from "fs";`,
    };
    assert.deepEqual(found(files), ["src/policy/retry.ts:1 packages-have-one-place"]);
  });
});

describe("words", () => {
  test.each([
    ["const a = Date.now();", "time-is-an-argument"],
    ["const a = new Date();", "time-is-an-argument"],
    ["const a = performance.now();", "time-is-an-argument"],
    ["const a = process.hrtime.bigint();", "time-is-an-argument"],
    ["setTimeout(go, 5);", "time-is-an-argument"],
    ["globalThis.setInterval(go, 5);", "time-is-an-argument"],
    ["const turn = setImmediate;", "time-is-an-argument"],
    ["const a = AbortSignal.timeout(5);", "time-is-an-argument"],
    ["const a = Math.random();", "chance-is-an-argument"],
    ["const a = crypto.randomUUID();", "chance-is-an-argument"],
    [`import { randomBytes } from "node:crypto";`, "chance-is-an-argument"],
    ["const a = process.env.HOME;", "environment-is-config"],
    [`const a = process["env"];`, "environment-is-config"],
    ["const { env } = process;", "environment-is-config"],
    [`import { env } from "node:process";`, "environment-is-config"],
    ["console.log(1);", "printing-is-cli"],
    ["process.stdout.write(text);", "printing-is-cli"],
    ["process.exit(1);", "exit-is-main"],
  ])("`%s` in the service is found as %s", (line, rule) => {
    const files = { "src/service/a.ts": `// first\n${line}\n` };
    assert.deepEqual(found(files), [`src/service/a.ts:2 ${rule}`]);
  });

  test.each([
    "const a = new Date(nowMs);",
    "clock.setTimeout(go, 5);",
    "process.exitCode = 1;",
    "// Date.now() would lie here",
    `const a = "process.env and Math.random()";`,
    "const a = `console.log(${now})`;",
    "const a = /process\\.exit/;",
  ])("`%s` is no fault", (line) => {
    assert.deepEqual(found({ "src/service/a.ts": `${line}\n` }), []);
  });

  test("each banned word has the one room where it belongs", () => {
    const files = {
      "src/std/clock.ts": "export const now = Date.now() + Math.random();",
      "src/config/resolve.ts": "export const env = process.env;",
      "src/cli/main.ts": "process.exit(process.env.CI ? 1 : 0); console.log(1);",
      "src/cli/render.ts": "console.log(1); process.exit(1);",
    };
    assert.deepEqual(found(files), ["src/cli/render.ts:1 exit-is-main"]);
  });

  test("a decision that waits is found; a test of it may wait", () => {
    const files = {
      "src/policy/retry.ts": "export async function decide() {\n  await answer;\n}",
      "src/policy/retry.test.ts": "await answer;",
      "src/engine/worker.ts": "await answer;",
    };
    assert.deepEqual(found(files), [
      "src/policy/retry.ts:1 decisions-do-not-wait",
      "src/policy/retry.ts:2 decisions-do-not-wait",
    ]);
  });

  test("a test beside the source does not sleep", () => {
    const files = {
      "src/engine/a.test.ts": `import { setTimeout as sleep } from "node:timers/promises";`,
      "src/engine/b.test.ts": "await new Promise((resolve) => setTimeout(resolve, 200));",
      "src/std/clock.test.ts": "await new Promise((resolve) => setTimeout(resolve, 2));",
    };
    assert.deepEqual(found(files), [
      "src/engine/a.test.ts:1 no-sleeping",
      "src/engine/b.test.ts:1 no-sleeping",
    ]);
  });
});

test("the command prints each sentence with its place, and ends with 1", async () => {
  using tree = plant({ "package.json": MANIFEST, "src/std/a.ts": `import "../model/b.ts";` });

  const ended = await runScript("check-layers.ts", [tree.root]);

  assert.equal(ended.exitCode, 1);
  assert.match(ended.stderr, /^src\/std\/a\.ts:1 {2}imports-go-down\n {4}"std" \(rank 0\) imports/);
  assert.match(ended.stderr, /check-layers: 1 to mend\n$/);
});
