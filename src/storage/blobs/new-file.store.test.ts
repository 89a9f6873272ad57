import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { giveName, writeNewFile } from "./new-file.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-new-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

test("a new file holds all pieces, for its owner alone, and nothing is left beside it", async () => {
  const path = join(makeFolder(), "a.json");
  const long = "é".repeat(100_000);

  expect(await writeNewFile(path, pieces("{", long, "}"))).toEqual({ bytes: 200_002 });

  expect(readFileSync(path, "utf8")).toBe(`{${long}}`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(path, ".."))).toEqual(["a.json"]);
});

test("a file that is there stays as it is, even if it came while the text was made", async () => {
  const path = join(makeFolder(), "a.json");
  async function* slow(): AsyncGenerator<string> {
    yield "new";
    writeFileSync(path, "old");
  }

  expect(await writeNewFile(path, slow())).toBeUndefined();
  expect(await writeNewFile(path, pieces("newer"))).toBeUndefined();

  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(join(path, ".."))).toEqual(["a.json"]);
});

test("a text that cannot be made leaves nothing behind", async () => {
  const path = join(makeFolder(), "a.json");
  async function* broken(): AsyncGenerator<string> {
    yield "half";
    throw new Error("lost");
  }

  await expect(writeNewFile(path, broken())).rejects.toThrow("lost");

  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("of two that give the same name one wins", async () => {
  const folder = makeFolder();
  const path = join(folder, "a");
  for (const name of ["1", "2"]) writeFileSync(join(folder, name), name);

  const given = await Promise.all([
    giveName(join(folder, "1"), path),
    giveName(join(folder, "2"), path),
  ]);

  expect(given.toSorted()).toEqual([false, true]);
  expect(existsSync(path)).toBe(true);
});
