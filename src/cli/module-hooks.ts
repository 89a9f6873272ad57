// Makes a pipeline file get the copy of millrace that is running: `millrace` and its doors are answered here,
// all else by Node. A `.ts` file of the user's is a module also in a package whose manifest says CommonJS,
// as `npm init` writes it; Node would refuse its first `import`.

import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** Doors a pipeline file may import, and their files without the ending. */
export const DOORS: Readonly<Record<string, string>> = {
  millrace: "../exports/index",
  "millrace/resilience": "../exports/resilience",
  "millrace/server": "../exports/server",
  "millrace/testing": "../exports/testing",
};

let isInstalled = false;

/** Address of a module that installs the hooks: what a process of its own for one attempt imports first. */
export function hooksModule(): string {
  // Sources and build have the same folders; only the ending differs.
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new URL(`../cli/child-hooks${ending}`, import.meta.url).href;
}

/** Path of the module that starts the command: what a process of the command's own is started with. */
export function mainModule(): string {
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return fileURLToPath(new URL(`../cli/main${ending}`, import.meta.url));
}

/** Installs the hooks, once per process. They cost one look-up in a table per import. */
export function installModuleHooks(): void {
  if (isInstalled) return;
  isInstalled = true;
  // Sources and build have the same folders; only the ending differs.
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const door = DOORS[specifier];
      if (door !== undefined && Object.hasOwn(DOORS, specifier)) {
        return { url: new URL(door + ending, import.meta.url).href, shortCircuit: true };
      }
      const resolved = nextResolve(specifier, context);
      return isUserTypeScript(resolved.url)
        ? { ...resolved, format: "module-typescript" }
        : resolved;
    },
  });
}

function isUserTypeScript(url: string): boolean {
  return url.startsWith("file:") && url.endsWith(".ts") && !url.includes("/node_modules/");
}
