// Killed in the middle, gone on with: the process dies for real, and the files are those of a run that nobody
// disturbed.
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMillrace } from "millrace";
import { designTokens } from "./pipeline.ts";
import { SOURCE } from "./stages.ts";

const BRAND = join(import.meta.dirname, "fixtures", "brand");

let folder = "";
let images = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "design-tokens-"));
  images = join(folder, "images");
  await mkdir(images);
  for (const file of ["logo2.png", "ticket-512.png"]) {
    await cp(join(BRAND, file), join(images, file));
  }
});
afterEach(() => rm(folder, { recursive: true }));

/** The files of a run that nobody disturbs; made once, since they are always the same. */
let undisturbed: Record<string, string> | undefined;
async function readUndisturbed(): Promise<Record<string, string>> {
  if (undisturbed === undefined) {
    const plain = await designTokens.run(SOURCE.parse({ images, out: join(folder, "plain") }));
    expect(plain.state).toBe("succeeded");
    undisturbed = await readOut("plain");
  }
  return undisturbed;
}

/** Starts a durable run in a process of its own; gives the signal that ended it. */
function runApart(input: unknown): string | null {
  const pipeline = pathToFileURL(join(import.meta.dirname, "pipeline.ts")).href;
  const script = `
    import { openMillrace } from "millrace";
    import { designTokens } from ${JSON.stringify(pipeline)};
    const mill = await openMillrace({ store: ${JSON.stringify(storeUrl())}, pipelines: [designTokens] });
    const run = await mill.start(designTokens, ${JSON.stringify(input)});
    await run.result();
    await mill.close();
  `;
  const flags = ["--conditions=@millrace/source", "--input-type=module", "--eval", script];
  return spawnSync(process.execPath, flags, { cwd: import.meta.dirname, stdio: "inherit" }).signal;
}

function storeUrl(): string {
  return `sqlite:${join(folder, "store.db")}`;
}

async function readOut(name: string): Promise<Record<string, string>> {
  const files = await readdir(join(folder, name));
  const texts = files.map(async (file) => [file, await readFile(join(folder, name, file), "utf8")]);
  return Object.fromEntries(await Promise.all(texts));
}

test.each([
  { stage: "preprocess", item: "ticket-512.png" },
  { stage: "extract", item: "ticket-512.png/shape" },
  { stage: "aggregate", item: undefined },
  { stage: "generate", item: undefined },
])("R300: killed in $stage, the run resumes and gives the same files", async ({ stage, item }) => {
  const faults = join(folder, "faults.json");
  await writeFile(faults, JSON.stringify([{ stage, ...(item && { item }), do: "kill" }]));
  const input = SOURCE.parse({ images, out: join(folder, "killed"), faults });
  expect(runApart(input)).toBe("SIGKILL");

  await using mill = await openMillrace({ store: storeUrl(), pipelines: [designTokens] });
  expect(await mill.run("last")).toMatchObject({ state: "waiting", reason: "interrupted" });
  const resumed = await mill.resume("last", { here: true });
  expect(await resumed.result()).toMatchObject({ state: "succeeded", warnings: 0 });

  expect(await readOut("killed")).toEqual(await readUndisturbed());
});

test("what was done before the kill is not done again", async () => {
  const faults = join(folder, "faults.json");
  await writeFile(faults, '[{"stage":"extract","item":"ticket-512.png/type","do":"kill"}]');
  const input = SOURCE.parse({ images, out: join(folder, "killed"), faults });
  expect(runApart(input)).toBe("SIGKILL");

  await using mill = await openMillrace({ store: storeUrl(), pipelines: [designTokens] });
  const { items: before } = await mill.items("last", "extract", { states: ["succeeded"] });
  expect(before.length).toBeGreaterThan(0);
  // Without the pictures nothing of preprocess could be done again.
  await rm(images, { recursive: true });
  await mkdir(images);
  const resumed = await mill.resume("last", { here: true });
  const result = await resumed.result();
  expect(result.stages["preprocess"]).toMatchObject({ state: "succeeded", via: "checkpoint" });
  expect(result.stages["extract"]?.items).toMatchObject({ total: 8, succeeded: 8 });
});
