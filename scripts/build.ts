// Builds `dist`: JavaScript in a few chunks, declarations one per source. A start of the command would otherwise
// open some 280 small files, which takes longer than running them.
//
//   node scripts/build.ts

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

/** Entries keep their path, since package.json and the command name them. */
const ENTRIES: Readonly<Record<string, string>> = {
  "exports/index": "src/exports/index.ts",
  "exports/testing": "src/exports/testing.ts",
  "cli/main": "src/cli/main.ts",
};

rmSync("dist", { recursive: true, force: true });
const bundle = await rolldown({
  input: { ...ENTRIES },
  platform: "node",
  // Packages stay packages: users share and update them.
  external: (id) => !id.startsWith(".") && !id.startsWith("/") && !id.includes(":\\"),
});
await bundle.write({
  dir: "dist",
  format: "esm",
  // Without comments and blanks, names kept: half the bytes to read, and stack traces that still say something.
  minify: { compress: false, mangle: false },
  entryFileNames: "[name].js",
  // As deep below the package as the sources, so that addresses relative to a module hold.
  chunkFileNames: "chunks/[name]-[hash].js",
  codeSplitting: {
    // What every run loads anyway is one file each; what only some verbs need stays apart.
    groups: [
      { name: "base", test: /[\\/]src[\\/](?:std|model|policy)[\\/]/ },
      { name: "sqlite", test: /[\\/]src[\\/]storage[\\/]sqlite[\\/]/ },
      { name: "executors", test: /[\\/]src[\\/]engine[\\/]executors[\\/]/ },
      { name: "engine", test: /[\\/]src[\\/](?:engine|storage|service)[\\/]/ },
      // Help and tables bring packages of their own: loaded when asked for.
      {
        name: "command",
        test: /[\\/]src[\\/](?:config[\\/]|cli[\\/](?!main\.ts|program\.ts|render[\\/]table|foreground[\\/]plan-again|show-pipeline|pipeline-detail|commands[\\/]|doctor[\\/]|templates|answers[\\/]))/,
      },
    ],
  },
});
await bundle.close();
execFileSync(
  process.execPath,
  [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"],
  { stdio: "inherit" },
);
