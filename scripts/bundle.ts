// The JavaScript of the package: all sources in a few chunks. A start of the command would otherwise open some 280
// small files, which takes longer than running them. Declarations are left to the build.

import { cpSync } from "node:fs";
import { join } from "node:path";
import { rolldown, type Plugin } from "rolldown";
import { makeGroups } from "./bundle/chunks.ts";
import { dropPassages } from "./bundle/passages.ts";

/** Entries keep their path, since package.json and the command name them. */
const ENTRIES: Readonly<Record<string, string>> = {
  "exports/index": "src/exports/index.ts",
  "exports/resilience": "src/exports/resilience.ts",
  "exports/server": "src/exports/server.ts",
  "exports/testing": "src/exports/testing.ts",
  "cli/main": "src/cli/main.ts",
  "cli/child-hooks": "src/cli/child-hooks.ts",
};

/** Packages whose code goes into `dist`, each with its licence: finding one takes longer than running it. */
const INLINED: readonly string[] = ["canonicalize"];

/**
 * Modules of Node are taken as objects. An ESM import of one touches each of its exports, and with them every lazy
 * part: `import "node:util"` alone loads streams, workers and a diff, some 12 ms of every start.
 */
const builtins: Plugin = {
  name: "builtins",
  renderChunk(code) {
    const taken = code.replaceAll(
      /^import (?<names>.*) from (?<id>"node:[\w/]+");$/gm,
      (statement, names: string, id: string) =>
        takeBuiltin(names, `process.getBuiltinModule(${id})`) ?? statement,
    );
    const left = /^import .*"node:.*$/m.exec(taken);
    if (left !== null) this.error(`An import of Node that this build does not know: ${left[0]}`);
    return taken;
  },
};

/** `names`: what stands between `import` and `from`; undefined: in a form that is not known here. */
function takeBuiltin(names: string, source: string): string | undefined {
  const parts = /^(?<whole>\w+)?(?:, )?(?:\{(?<named>[^}]*)\})?$/.exec(names)?.groups;
  if (parts === undefined) return undefined;
  const { whole, named } = parts;
  const taken = [whole, named === undefined ? undefined : `{${named.replaceAll(" as ", ": ")}}`];
  return taken
    .flatMap((target) => (target === undefined ? [] : [`const ${target} = ${source};`]))
    .join(" ");
}

const withoutPassages: Plugin = {
  name: "without-passages",
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
    const kept = dropPassages(new Map(chunks.map(({ fileName, code }) => [fileName, code])));
    for (const chunk of chunks) {
      const code = kept.get(chunk.fileName);
      if (code === undefined) delete bundle[chunk.fileName];
      else if (code !== chunk.code) chunk.code = code;
    }
  },
};

/** What is started apart, each beside the chunk that starts it: it loads what it needs and no more. */
const APART: Readonly<Record<string, string>> = {
  "renewal-thread": "src/storage/sqlite/renewal/renewal-thread.ts",
  "isolated-child": "src/engine/executors/isolated/isolated-child.ts",
  "thread-worker": "src/engine/executors/thread-worker.ts",
};

/**
 * Writes it into a folder, which lies as deep below its package as `src`: addresses relative to a module hold. `more`:
 * programs besides, each the source of what is to be written, that share all else.
 */
export async function bundle(
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await bundleDoors(folder, { ...ENTRIES, ...more });
  await bundleApart(folder);
  for (const name of INLINED) {
    cpSync(join("node_modules", name, "LICENSE"), join(folder, `LICENSE-${name}.txt`));
  }
}

async function bundleDoors(folder: string, input: Readonly<Record<string, string>>): Promise<void> {
  const bundled = await rolldown({
    plugins: [builtins, withoutPassages],
    input: { ...input },
    platform: "node",
    // What some verbs load late lies in one file with what others load at once: as meant.
    checks: { ineffectiveDynamicImport: false },
    // Packages stay packages: users share and update them. Only what every start needs is taken in.
    external: (id) =>
      !INLINED.includes(id) && !id.startsWith(".") && !id.startsWith("/") && !id.includes(":\\"),
  });
  await bundled.write({
    dir: folder,
    format: "esm",
    // Without comments and blanks, names kept: half the bytes to read, and stack traces that still say something.
    minify: { compress: false, mangle: false },
    entryFileNames: "[name].js",
    // As deep below the package as the sources, so that addresses relative to a module hold.
    chunkFileNames: "chunks/[name]-[hash].js",
    codeSplitting: { groups: makeGroups() },
  });
  await bundled.close();
}

async function bundleApart(folder: string): Promise<void> {
  for (const [name, source] of Object.entries(APART)) {
    const apart = await rolldown({
      plugins: [builtins],
      input: { [name]: source },
      platform: "node",
    });
    await apart.write({
      dir: join(folder, "chunks"),
      format: "esm",
      minify: { compress: false, mangle: false },
      entryFileNames: "[name].js",
      chunkFileNames: `${name}-[hash].js`,
    });
    await apart.close();
  }
}
