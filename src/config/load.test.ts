import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { importModule } from "./import-module.ts";
import { loadConfig } from "./load.ts";

const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

function setup(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-config-"));
  made.push(folder);
  for (const [name, text] of Object.entries({ "package.json": '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const CONFIG = `export default { store: "sqlite:mine.db" };`;

test("the default configuration of the working folder is read", async () => {
  const cwd = setup({ "millrace.config.ts": CONFIG });

  const found = await loadConfig({ cwd, named: undefined });

  expect(found).toMatchObject({
    path: join(cwd, "millrace.config.ts"),
    config: { store: "sqlite:mine.db" },
  });
});

test("no configuration is looked for above the working folder", async () => {
  const cwd = setup({ "millrace.config.ts": CONFIG, "below/here.txt": "" });

  expect(await loadConfig({ cwd: join(cwd, "below"), named: undefined })).toBeUndefined();
});

test("a named configuration that does not exist is CONFIG_NOT_FOUND", async () => {
  const cwd = setup({});

  await expect(loadConfig({ cwd, named: "other.config.ts" })).rejects.toMatchObject({
    code: "CONFIG_NOT_FOUND",
    message: 'The configuration "other.config.ts" does not exist.',
    hint: `looked for ${join(cwd, "other.config.ts")}`,
  });
});

test("a configuration that exports nothing is told what to write", async () => {
  const cwd = setup({ "millrace.config.ts": `export const store = "memory:";` });

  await expect(loadConfig({ cwd, named: undefined })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    hint: expect.stringContaining("export default defineConfig("),
  });
});

test("all faults of a configuration come together", async () => {
  const cwd = setup({
    "millrace.config.ts": `export default { stor: "memory:", worker: { attemptsInFlight: 0 } };`,
  });

  await expect(loadConfig({ cwd, named: undefined })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: [
      `The configuration "millrace.config.ts" is not valid, 2 faults:`,
      `  stor: "stor" is not an option here (did you mean "store"?)`,
      `  worker.attemptsInFlight: expected a whole number from 1 to 10000; got 0`,
    ].join("\n"),
  });
});

test("a file that throws while it is imported is told with what it threw", async () => {
  const cwd = setup({ "throws.js": `throw Object.assign(new Error("mine"), { code: "X" });` });

  await expect(
    importModule(join(cwd, "throws.js"), {
      code: "PIPELINE_FILE_INVALID",
      what: "pipeline file",
      cwd,
    }),
  ).rejects.toMatchObject({
    code: "PIPELINE_FILE_INVALID",
    message: expect.stringContaining("it threw Error: mine"),
  });
});
