import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DOORS } from "./module-hooks.ts";

const ROOT = join(import.meta.dirname, "../..");

test("every door of the package is answered by the running copy", () => {
  const manifest: { name: string; exports: Record<string, unknown> } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  );
  const doors = Object.keys(manifest.exports)
    .filter((door) => !door.endsWith(".json"))
    .map((door) => manifest.name + door.slice(1));

  expect(Object.keys(DOORS)).toEqual(doors);
  for (const door of Object.values(DOORS)) {
    expect(existsSync(fileURLToPath(new URL(`${door}.ts`, new URL("./", import.meta.url))))).toBe(
      true,
    );
  }
});
