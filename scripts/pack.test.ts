import assert from "node:assert/strict";
import { test } from "vitest";
import { judgePack } from "./pack.ts";
import type { PackedManifest, TarballListing } from "./pack.ts";

const MANIFEST: PackedManifest = {
  bin: { millrace: "bin/millrace.js" },
  exports: {
    ".": {
      "@millrace/source": "./src/exports/index.ts",
      types: "./dist/exports/index.d.ts",
      default: "./dist/exports/index.js",
    },
    "./package.json": "./package.json",
  },
};
const GOOD = [
  "LICENSE",
  "README.md",
  "CHANGELOG.md",
  "package.json",
  "bin/millrace.js",
  "dist/exports/index.js",
  "dist/exports/index.d.ts",
  "dist/testing/store-suite/runs.js",
];

function listing(paths: readonly string[], sizes: Partial<TarballListing> = {}): TarballListing {
  return {
    size: 1000,
    unpackedSize: 4000,
    files: paths.map((path) => ({ path, size: 10 })),
    ...sizes,
  };
}

function found(tarball: TarballListing): string[] {
  return judgePack(tarball, MANIFEST).map(({ file, rule }) => `${file} ${rule}`);
}

test("S44: a tarball of built files, types, doors and papers is good", () => {
  assert.deepEqual(found(listing(GOOD)), []);
});

test.each([
  "dist/policy/retry.test.js",
  "dist/policy/retry.test.d.ts",
  "dist/policy/retry.test.js.map",
  "dist/policy/retry.js.map",
  "src/policy/retry.ts",
  "examples/01-a/millrace.config.js",
  "dist/fixtures/one.js",
  "dist/screen.png",
  "dist/.millrace",
  ".npmrc",
])("%s does not ship", (path) => {
  assert.deepEqual(found(listing([...GOOD, path])), [`${path} nothing-unwanted`]);
});

test("each door must be inside, but not the one that only a checkout has", () => {
  const without = GOOD.filter(
    (path) => path !== "dist/exports/index.d.ts" && path !== "bin/millrace.js",
  );

  const sentences = judgePack(listing(without), MANIFEST).map((finding) => finding.message);

  assert.equal(sentences.length, 2);
  assert.match(sentences[0] ?? "", /promises "dist\/exports\/index\.d\.ts".*npm run build/);
  assert.match(sentences[1] ?? "", /promises "bin\/millrace\.js"/);
});

test("a tarball over its budget is refused, with the heaviest files by name", () => {
  const heavy = { path: "dist/heavy.js", size: 3_000_000 };
  const tarball = listing(GOOD, { size: 1_179_649, unpackedSize: 5_242_881 });

  const sentences = judgePack({ ...tarball, files: [...tarball.files, heavy] }, MANIFEST);

  assert.deepEqual(
    sentences.map(({ rule }) => rule),
    ["byte-budget", "byte-budget"],
  );
  assert.match(
    sentences[0]?.message ?? "",
    /^1179649 bytes packed, the budget is 1179648; .*dist\/heavy\.js \(3000000\)/,
  );
  assert.deepEqual(found(listing(GOOD, { size: 1_179_648, unpackedSize: 5_242_880 })), []);
});
