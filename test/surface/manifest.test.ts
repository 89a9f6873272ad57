// The manifest keeps what it promises: the pinned Node really runs the tests, one floor is written the
// same in every place, and the lockfile names no registry.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";

interface Manifest {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

const read = (file: string): string =>
  readFileSync(join(import.meta.dirname, "../..", file), "utf8");
const manifest: Manifest = JSON.parse(read("package.json"));

test("the Node that runs the tests is the pinned one, and its SQLite is safe to share", () => {
  const sqlite = process.versions["sqlite"] ?? "0";
  assert.equal(process.versions.node, manifest.devDependencies["node"]);
  assert.ok(
    sqlite.localeCompare("3.51.3", "en", { numeric: true }) >= 0,
    `SQLite ${sqlite} can corrupt a file that two processes write`,
  );
});

test("the oldest Node is the same in the manifest, the starter and the checks", () => {
  const floor = manifest.engines.node.replace(/^>=/, "");
  assert.match(floor, /^\d+\.\d+\.\d+$/);
  assert.ok(read("bin/millrace.js").includes(`[${floor.split(".").join(", ")}]`));
  assert.ok(read(".ci/run").includes(`node_floor=${floor}\n`));
});

test("S43: packages that users install may move within a major, tools may not move at all", () => {
  for (const [name, range] of Object.entries(manifest.dependencies)) {
    assert.match(range, /^\^\d/, name);
  }
  for (const [name, version] of Object.entries(manifest.devDependencies)) {
    assert.match(version, /^\d/, name);
  }
});

test("S43: the lockfile names no registry", () => {
  assert.ok(!read("package-lock.json").includes('"resolved"'));
});

test("S43 S44: installing runs no script of ours", () => {
  for (const name of ["preinstall", "install", "postinstall", "prepare"]) {
    assert.ok(!(name in manifest.scripts), name);
  }
});
