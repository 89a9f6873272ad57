// The starter in bin/: it must refuse an old Node in one paragraph, prefer the sources of a checkout,
// and fall back to the build. It is copied beside planted entry files, so nothing of ours is started.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "vitest";

const STARTER = join(import.meta.dirname, "../../bin/millrace.js");
const PACKAGE = JSON.stringify({ name: "planted", type: "module" });
const made: string[] = [];

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A package folder that holds the real starter and the given entry files. */
function setup(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "millrace-bin-"));
  made.push(root);
  for (const [name, text] of Object.entries({ "package.json": PACKAGE, ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  cpSync(STARTER, join(root, "bin/millrace.js"));
  return root;
}

function start(root: string, nodeFlags: readonly string[] = []): Promise<Ended> {
  return new Promise((resolve) => {
    const args = [...nodeFlags, join(root, "bin/millrace.js")];
    const child = execFile(process.execPath, args, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

/** Makes Node claim another version before the starter looks. */
function claiming(version: string): string[] {
  const text = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
  return ["--import", `data:text/javascript,${encodeURIComponent(text)}`];
}

afterEach(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true });
});

test("a checkout starts its sources even when a build lies beside them", async () => {
  const root = setup({
    "src/cli/main.ts": `const from: string = "sources"; console.log(from);`,
    "dist/cli/main.js": `console.log("build");`,
  });

  assert.deepEqual(await start(root), { exitCode: 0, stdout: "sources\n", stderr: "" });
});

test("an installed package, which has no sources, starts the build", async () => {
  const root = setup({ "dist/cli/main.js": `console.log("build");` });

  assert.deepEqual(await start(root), { exitCode: 0, stdout: "build\n", stderr: "" });
});

test("the compile cache is on before the command is loaded", async () => {
  const root = setup({
    "dist/cli/main.js": `import { getCompileCacheDir } from "node:module"; console.log(typeof getCompileCacheDir());`,
  });

  assert.equal((await start(root)).stdout, "string\n");
});

test.each(["14.21.3", "20.20.2", "24.14.9"])(
  "Node %s is refused in one paragraph with NODE_TOO_OLD and exit code 2",
  async (version) => {
    const root = setup({ "dist/cli/main.js": `console.log("build");` });

    const { exitCode, stdout, stderr } = await start(root, claiming(version));

    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`needs Node 24\\.15\\.0 or newer, this is ${version}\\.`));
    assert.match(stderr, /^ {2}next {3}npm install --save-dev node@24$/m);
    assert.match(stderr, /^ {2}code {3}NODE_TOO_OLD \(exit 2\)$/m);
    assert.doesNotMatch(stderr, /\n\s*\n/);
  },
);

test.each(["24.15.0", "24.15.0-nightly", "24.100.0", "25.0.0"])(
  "Node %s is new enough",
  async (version) => {
    const root = setup({ "dist/cli/main.js": `console.log("build");` });

    assert.equal((await start(root, claiming(version))).stdout, "build\n");
  },
);

test("a build that cannot be loaded ends with exit code 6 and says so", async () => {
  const root = setup({ "dist/cli/main.js": `throw new Error("half a build");` });

  const { exitCode, stderr } = await start(root);

  assert.equal(exitCode, 6);
  assert.match(stderr, /^error: millrace could not start\.\nError: half a build\n/);
});
