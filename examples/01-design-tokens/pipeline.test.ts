// The whole example on the real engine: what a run gives, and what it does about every bundled fault.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { designTokensExact } from "./pipeline-exact.ts";
import { designTokens } from "./pipeline.ts";
import { SOURCE } from "./stages.ts";
import type { Source } from "./stages.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");
const FILES = [
  "figma.json",
  "report.html",
  "report.json",
  "tailwind.config.js",
  "theme.ts",
  "tokens.css",
  "tokens.json",
  "tokens.scss",
];

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "design-tokens-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A folder with the given fixtures. */
async function collect(...files: readonly string[]): Promise<string> {
  const images = join(folder, "images");
  await mkdir(images, { recursive: true });
  for (const file of files)
    await cp(join(FIXTURES, file), join(images, file.split("/").at(-1) ?? ""));
  return images;
}

function toInput(fields: Partial<Source>): Source {
  return SOURCE.parse({ out: join(folder, "out"), ...fields });
}

async function readOut(name = "out"): Promise<Record<string, string>> {
  const files = await readdir(join(folder, name));
  const texts = files.map(async (file) => [file, await readFile(join(folder, name, file), "utf8")]);
  return Object.fromEntries(await Promise.all(texts));
}

test("R18: the plan has five stages in a row, two of them maps", () => {
  const { waves, stages, warnings } = designTokens.plan(toInput({}));
  const { definition } = designTokens;
  expect(waves).toEqual([["preprocess"], ["extract"], ["aggregate"], ["validate"], ["generate"]]);
  expect(warnings).toEqual([]);
  expect(definition.stages.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    "preprocess map",
    "extract map",
    "aggregate stage",
    "validate stage",
    "generate stage",
  ]);
  expect(stages.find(({ stage }) => stage === "extract")?.reason).toContain("list");
});

test("R300: a folder of pictures becomes eight files, and a second run the same bytes", async () => {
  const images = await collect(
    "brand/logo2.png",
    "brand/ticket-512.png",
    "brand/Minduka_Present_Blue_Pack.png",
  );
  const first = await designTokens.run(toInput({ images }));
  expect(first.errors).toEqual([]);
  expect(first).toMatchObject({ state: "succeeded", warnings: 0 });
  expect(first.stages["extract"]?.items).toMatchObject({ total: 12, succeeded: 12 });
  const files = await readOut();
  expect(Object.keys(files).toSorted()).toEqual(FILES);
  const generated = first.unwrap().generate;
  expect(generated.report).toBe(join(folder, "out", "report.html"));
  expect(generated.files.map(({ name }) => name).toSorted()).toEqual(FILES);

  const second = await designTokens.run(toInput({ images, out: join(folder, "again") }));
  expect(second.state).toBe("succeeded");
  expect(await readOut("again")).toEqual(files);
});

test("R58 R300: broken files are noted, not retried, and the rest goes on", async () => {
  const images = await collect(
    ...["cut-at-60-percent.png", "text-named.png", "large-3000x2000.png"].map((f) => `faulty/${f}`),
    "brand/logo2.png",
  );
  const result = await designTokens.run(toInput({ images }));
  expect(result).toMatchObject({ state: "succeeded", warnings: 2 });
  expect(result.errors.map(({ item, error }) => [item?.key, error.class, error.attempts])).toEqual([
    ["cut-at-60-percent.png", "permanent", 1],
    ["text-named.png", "permanent", 1],
  ]);
  const report: unknown = JSON.parse((await readOut())["report.json"] ?? "");
  expect(report).toMatchObject({
    errors: {
      "cut-at-60-percent.png": [{ part: "preprocess" }],
      "text-named.png": [{ part: "preprocess", message: /^"text-named.png" is not a PNG/ }],
    },
    images: [
      { file: "large-3000x2000.png", source: { width: 3000 }, size: { width: 1620, height: 1080 } },
      { file: "logo2.png", size: { width: 560, height: 120 } },
    ],
  });
});

test("R58: the exact pipeline stops at the first file that fails for good", async () => {
  const images = await collect("faulty/cut-at-60-percent.png", "brand/logo2.png");
  const result = await designTokensExact.run(toInput({ images }));
  expect(result).toMatchObject({ state: "failed", failedStages: ["preprocess"] });
  expect(result.errors[0]).toMatchObject({ critical: true, error: { class: "permanent" } });
  expect(result.stages["extract"]?.state).not.toBe("succeeded");
  await expect(readdir(join(folder, "out"))).rejects.toThrow("ENOENT");
});

test("R300: both pipelines give the same files where nothing fails", async () => {
  const images = await collect("brand/logo2.png", "brand/ticket-512.png");
  await designTokens.run(toInput({ images }));
  const exact = await designTokensExact.run(toInput({ images, out: join(folder, "exact") }));
  expect(exact.state).toBe("succeeded");
  expect(await readOut("exact")).toEqual(await readOut());
});

test("R58 R300: an extractor that fails costs its own part of one picture", async () => {
  const images = await collect("brand/logo2.png", "brand/ticket-512.png");
  const faults = join(folder, "faults.json");
  const item = "ticket-512.png/spacing";
  const orders = [1, 2, 3].map((attempt) => ({ stage: "extract", item, attempt, do: "fail" }));
  await writeFile(faults, JSON.stringify(orders));
  const result = await designTokens.run(toInput({ images, faults }));
  expect(result).toMatchObject({ state: "succeeded", warnings: 1 });
  expect(result.errors).toMatchObject([{ item: { key: item }, error: { attempts: 3 } }]);
  const report: unknown = JSON.parse((await readOut())["report.json"] ?? "");
  expect(report).toMatchObject({ errors: { "ticket-512.png": [{ part: "spacing" }] } });
});

test("a fault that strikes once is retried and leaves no trace in the files", async () => {
  const images = await collect("brand/logo2.png");
  const faults = join(folder, "faults.json");
  await writeFile(faults, '[{"stage":"extract","item":"logo2.png/color","do":"fail"}]');
  const plain = await designTokens.run(toInput({ images, out: join(folder, "plain") }));
  const struck = await designTokens.run(toInput({ images, faults }));
  expect([plain.state, struck.state, struck.warnings]).toEqual(["succeeded", "succeeded", 0]);
  expect(await readOut()).toEqual(await readOut("plain"));
});

test("R300: a picture that nobody can see gives no tokens, and in strict mode no result", async () => {
  const images = await collect("faulty/transparent.png");
  const open = await designTokens.run(toInput({ images }));
  expect(open.state).toBe("succeeded");
  expect(JSON.parse((await readOut())["tokens.json"] ?? "")).toEqual({});
  const strict = await designTokens.run(toInput({ images, strict: true }));
  expect(strict).toMatchObject({ state: "failed", failedStages: ["validate"] });
  expect(strict.errors[0]?.error.message).toContain("no token is left in strict mode: 0 found");
});

test("R56: stages can be skipped, what needs them is skipped too, and the run succeeds", async () => {
  const images = await collect("brand/logo2.png");
  const both = await designTokens.run(toInput({ images }), { skip: ["validate", "generate"] });
  expect(both).toMatchObject({ state: "succeeded", outputs: { generate: undefined } });
  expect(both.stages["validate"]).toMatchObject({ state: "skipped", reason: "operator" });
  expect(both.stages["generate"]).toMatchObject({ state: "skipped", reason: "operator" });
  const one = await designTokens.run(toInput({ images }), { skip: ["validate"] });
  expect(one.state).toBe("succeeded");
  expect(one.stages["generate"]).toMatchObject({ state: "skipped", reason: "upstream_skipped" });
});

test("R57: outputs come in the order of the files and extractors, whoever finished first", async () => {
  const images = await collect("brand/logo2.png", "brand/Minduka_Present_Blue_Pack.png");
  const faults = join(folder, "faults.json");
  const first = "Minduka_Present_Blue_Pack.png/color";
  // Its retry waits, so that the first item is the last one to finish.
  await writeFile(faults, JSON.stringify([{ stage: "extract", item: first, do: "fail" }]));
  const finished: (string | undefined)[] = [];
  const result = await designTokens.run(toInput({ images, faults }), {
    onEvent: ({ type, stage, item }) => {
      if (type === "item.succeeded" && stage === "extract") finished.push(item);
    },
  });
  expect(finished).toHaveLength(8);
  expect(finished[0]).not.toBe(first);
  const items = result.output<readonly { readonly key: string }[]>("extract");
  expect(items?.map(({ key }) => key)).toEqual(
    ["Minduka_Present_Blue_Pack.png", "logo2.png"].flatMap((file) =>
      ["color", "spacing", "shape", "type"].map((extractor) => `${file}/${extractor}`),
    ),
  );
});

test("an empty folder and a missing one are named", async () => {
  const images = await collect();
  const empty = await designTokens.run(toInput({ images }));
  expect(empty).toMatchObject({ state: "failed", failedStages: ["preprocess"] });
  expect(empty.errors[0]?.error).toMatchObject({ class: "permanent" });
  expect(empty.errors[0]?.error.message).toContain(`"${images}" holds no PNG file`);
  const missing = await designTokens.run(toInput({ images: join(folder, "none") }));
  expect(missing.errors[0]?.error.message).toContain("cannot be read");
});

test("an earlier tokens.json is compared with", async () => {
  const images = await collect("brand/logo2.png");
  await designTokens.run(toInput({ images, out: join(folder, "before") }));
  const more = await collect("brand/ticket-512.png");
  const baseline = join(folder, "before", "tokens.json");
  await designTokens.run(toInput({ images: more, baseline }));
  const files = await readOut();
  const difference = JSON.parse(files["difference.json"] ?? "");
  expect(difference.added.map((change: { path: string }) => change.path)).toContain(
    "color.teal-600",
  );
  expect(files["report.html"]).toContain("What changed");
});

test("a misspelt field of the input is refused before anything runs", () => {
  expect(SOURCE.safeParse({ image: "x" }).success).toBe(false);
  expect(SOURCE.parse(undefined)).toMatchObject({ strict: false });
});
