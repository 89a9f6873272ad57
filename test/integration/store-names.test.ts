// One store under several names: a symbolic link is another way to the same store, with all that lies beside it; a
// hard link is refused, since each name would get a log of its own.

import { linkSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { input, openMillrace, pipeline, stage } from "../../src/exports/index.ts";
import { makeFiles } from "../../src/service/world.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";

const LARGE = "x".repeat(200_000);

const given = input<number>();
const large = stage("large", { needs: { given } }, async (_, ctx) => {
  await ctx.artifact("large.txt", LARGE);
  return [LARGE, ctx.dir] as const;
});
const line = pipeline("line", { input: given, output: { large } });

function setup() {
  const world = makeDurableWorld("sqlite");
  const elsewhere = join(world.folder, "elsewhere");
  mkdirSync(elsewhere);
  return { world, elsewhere, link: join(elsewhere, "link.db") };
}

test("who opens a store by a symbolic link shares its queue, its blobs and its folders of runs", async () => {
  const { world, elsewhere, link } = setup();
  const mill = await world.open([line]);
  symlinkSync(world.path, link);
  const linked = await world.open([line], { store: `sqlite:${link}` });
  const first = await mill.enqueue(line, [{ key: "a", input: 1 }]);
  const second = await linked.enqueue(line, [{ key: "a", input: 1 }]);
  expect([first.created, second.created, second.duplicates]).toEqual([1, 0, 1]);
  await linked.work({ drain: true });

  const result = await mill.result("last");
  const folder = join(dirname(world.path), "runs", result.id);
  expect(result.outputs).toEqual({ large: [LARGE, folder] });
  expect(readdirSync(elsewhere)).toEqual(["link.db"]);
});

test("a hard link is refused by both names, and the store is as it was when one of them is gone", async () => {
  const { world, link } = setup();
  const mill = await world.open([line]);
  await mill.enqueue(line, [{ key: "a", input: 1 }]);
  await mill.close();
  linkSync(world.path, link);
  for (const path of [world.path, link]) {
    for (const mode of ["write", "read"] as const) {
      await expect(openMillrace({ store: `sqlite:${path}`, mode })).rejects.toMatchObject({
        code: "STORE_INVALID",
        message: expect.stringContaining("2 names (hard links)"),
      });
    }
  }
  rmSync(link);
  expect((await (await world.open([line])).stats()).queued).toBe(1);
});

test("a store in memory makes no folder in the working folder", () => {
  const files = makeFiles("sqlite::memory:");
  const folder = files.runFolder("01976f7e-0000-7000-8000-000000000001");
  rmSync(folder, { recursive: true });
  expect(folder.startsWith(process.cwd())).toBe(false);
});
