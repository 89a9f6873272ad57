import { expect, test } from "vitest";
import { parseRunSource, toRunSource } from "./run-source.ts";

test("a file below the working folder is kept relative, so that a project may move", () => {
  const source = toRunSource("/p", "/p/pipelines/crawl.ts", "crawl");

  expect(source).toBe("file:pipelines/crawl.ts#crawl");
  expect(parseRunSource("/moved", source)).toEqual({
    kind: "file",
    path: "/moved/pipelines/crawl.ts",
    pipeline: "crawl",
  });
});

test("a file elsewhere is kept whole", () => {
  const source = toRunSource("/p", "/other/crawl.ts", "crawl");

  expect(parseRunSource("/p", source)).toMatchObject({ path: "/other/crawl.ts" });
});

test("a pipeline from the configuration is found again by its name", () => {
  expect(parseRunSource("/p", toRunSource("/p", undefined, "crawl"))).toEqual({ kind: "config" });
});

test("a path that is too long to keep is found again by the configuration", () => {
  expect(toRunSource("/p", `/p/${"x".repeat(600)}.ts`, "crawl")).toBe("config");
});

test.each(["library", "", "file:no-name", "http://x#y"])("%j is somebody else's", (source) => {
  expect(parseRunSource("/p", source)).toEqual({ kind: "other" });
});
