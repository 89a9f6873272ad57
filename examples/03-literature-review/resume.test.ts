// Killed in the middle, gone on with: the process dies for real, and the files are those of a run that nobody
// disturbed.
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMillrace } from "millrace";
import { literatureReview } from "./pipeline.ts";
import { SOURCE } from "./stages.ts";

const WHOLE = join(import.meta.dirname, "papers-gpl", "whole");

let folder = "";
let papers = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "literature-review-"));
  papers = join(folder, "papers");
  await mkdir(papers);
});
afterEach(() => rm(folder, { recursive: true }));

function storeUrl(): string {
  return `sqlite:${join(folder, "store.db")}`;
}

/** Starts a durable run in a process of its own; gives the signal that ended it. */
function runApart(input: unknown): string | null {
  const pipeline = pathToFileURL(join(import.meta.dirname, "pipeline.ts")).href;
  const script = `
    import { openMillrace } from "millrace";
    import { literatureReview } from ${JSON.stringify(pipeline)};
    const mill = await openMillrace({ store: ${JSON.stringify(storeUrl())}, pipelines: [literatureReview] });
    const run = await mill.start(literatureReview, ${JSON.stringify(input)});
    await run.result();
    await mill.close();
  `;
  const flags = ["--conditions=@millrace/source", "--input-type=module", "--eval", script];
  return spawnSync(process.execPath, flags, { cwd: import.meta.dirname, stdio: "inherit" }).signal;
}

async function order(stage: string, item?: string): Promise<string> {
  const faults = join(folder, "faults.json");
  const fault = { stage, ...(item === undefined ? {} : { item }), do: "kill" };
  await writeFile(faults, JSON.stringify([fault]));
  return faults;
}

async function readOut(name: string): Promise<Record<string, string>> {
  const files = await readdir(join(folder, name));
  const texts = files.map(async (file) => [file, await readFile(join(folder, name, file), "utf8")]);
  return Object.fromEntries(await Promise.all(texts));
}

/** Five papers: the last of them begins when one of the first four is done. */
const FIVE = ["sandwich-OOP", "zoo-design", "zoo-faq", "zoo-quickref", "zoo-read"];

test("R303: killed after k of n papers, the run resumes and reads exactly n - k", async () => {
  for (const name of FIVE) await cp(join(WHOLE, `${name}.pdf`), join(papers, `${name}.pdf`));
  const faults = await order("review", "zoo-read.pdf");
  expect(runApart(SOURCE.parse({ papers, out: join(folder, "out"), faults }))).toBe("SIGKILL");

  await using mill = await openMillrace({ store: storeUrl(), pipelines: [literatureReview] });
  expect(await mill.run("last")).toMatchObject({ state: "waiting", reason: "interrupted" });
  const listDone = async (): Promise<string[]> => {
    const { items } = await mill.items("last", "review", { states: ["succeeded"], limit: 100 });
    return items.map(({ key }) => key);
  };
  const before = await listDone();
  expect(before.length).toBeGreaterThanOrEqual(1);
  expect(before.length).toBeLessThan(FIVE.length);

  const read: (string | undefined)[] = [];
  const resumed = await mill.resume("last", {
    here: true,
    onEvent: ({ type, stage, item }) => {
      if (type === "item.started" && stage === "review") read.push(item);
    },
  });
  expect(await resumed.result()).toMatchObject({ state: "succeeded", warnings: 0 });
  expect(read).toHaveLength(FIVE.length - before.length);
  expect(read.filter((file) => before.includes(file ?? ""))).toEqual([]);
  expect(await listDone()).toHaveLength(FIVE.length);
});

test.each([
  { stage: "judge", item: "zoo-design.pdf" },
  { stage: "sync", item: undefined },
])("R303: killed in $stage, the run resumes and gives the same files", async ({ stage, item }) => {
  await cp(join(WHOLE, "zoo-design.pdf"), join(papers, "zoo-design.pdf"));
  const faults = await order(stage, item);
  expect(runApart(SOURCE.parse({ papers, out: join(folder, "killed"), faults }))).toBe("SIGKILL");
  await using mill = await openMillrace({ store: storeUrl(), pipelines: [literatureReview] });
  const resumed = await mill.resume("last", { here: true });
  expect(await resumed.result()).toMatchObject({ state: "succeeded", warnings: 0 });

  const plain = await literatureReview.run(SOURCE.parse({ papers, out: join(folder, "plain") }));
  expect(plain.state).toBe("succeeded");
  expect(await readOut("killed")).toEqual(await readOut("plain"));
});
