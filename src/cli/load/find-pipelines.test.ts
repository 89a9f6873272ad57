import { expect, test } from "vitest";
import { defineConfig } from "../../config/define-config.ts";
import { definePipeline, type Pipeline } from "../../service/pipeline.ts";
import { choosePipeline, isConfigModule, listConfigured, listExported } from "./find-pipelines.ts";

const make = (name: string): Pipeline =>
  definePipeline({ name, stages: [{ id: "only", run: () => 1 }] });
const FILE = { shown: "crawl.ts", isConfig: false };
const CONFIG = { shown: "millrace.config.ts", isConfig: true };

test("pipelines are found among all exports, each once", () => {
  const crawl = make("crawl");
  const found = listExported({
    default: crawl,
    crawl,
    other: make("other"),
    helper: () => 1,
    n: 1,
  });

  expect(found.map((entry) => [entry.pipeline.name, entry.exportNames])).toEqual([
    ["crawl", ["default", "crawl"]],
    ["other", ["other"]],
  ]);
});

test("the only pipeline needs no name; several do, and are listed", () => {
  const one = listExported({ crawl: make("crawl") });
  const two = listExported({ a: make("crawl"), b: make("other") });

  expect(choosePipeline(one, undefined, FILE).name).toBe("crawl");
  expect(choosePipeline(two, "other", FILE).name).toBe("other");
  expect(choosePipeline(two, "b", FILE).name).toBe("other");
  expect(() => choosePipeline(two, undefined, FILE)).toThrow(
    expect.objectContaining({
      code: "PIPELINE_AMBIGUOUS",
      message: '"crawl.ts" holds 2 pipelines: "crawl" and "other".',
      next: "npx millrace run crawl.ts#crawl",
    }),
  );
});

test("an unknown name is refused with the nearest, as a command that works", () => {
  const found = listExported({ a: make("crawl"), b: make("other") });

  expect(() => choosePipeline(found, "craw", FILE)).toThrow(
    expect.objectContaining({
      code: "PIPELINE_UNKNOWN",
      hint: 'did you mean "crawl"?',
      next: "npx millrace run crawl.ts#crawl",
    }),
  );
  expect(() => choosePipeline(found, "craw", CONFIG)).toThrow(
    expect.objectContaining({ next: "npx millrace run crawl" }),
  );
});

test("a file without a pipeline is told what to export", () => {
  expect(() => choosePipeline([], undefined, FILE)).toThrow(
    expect.objectContaining({
      code: "PIPELINE_FILE_INVALID",
      hint: expect.stringContaining("export const crawl = pipeline("),
    }),
  );
});

test("a configuration is told from a file of pipelines", () => {
  expect(isConfigModule({ default: defineConfig({}) })).toBe(true);
  expect(isConfigModule({ default: { pipelines: [] } })).toBe(true);
  expect(isConfigModule({ default: make("crawl") })).toBe(false);
  expect(isConfigModule({ crawl: make("crawl") })).toBe(false);
});

test("what is no pipeline in a configuration, and a name that is there twice, are told together", () => {
  expect(() => listConfigured([make("a"), {}, make("a")], "millrace.config.ts")).toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      message: [
        'The configuration "millrace.config.ts" is not valid:',
        "  pipelines.1: expected a pipeline, as made by pipeline(...)",
        '  pipelines.2: a second pipeline is named "a"',
      ].join("\n"),
    }),
  );
});
