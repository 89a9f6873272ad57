// The commands that the README of the literature review prints for the queue, as they stand and in their order.

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../support/command.ts";

const EXAMPLE = "examples/03-literature-review";

/** Words of a command line without its remark; single quotes group. */
function splitWords(line: string): readonly string[] {
  const words = line.replace(/ +# .*$/, "").matchAll(/'([^']*)'|(\S+)/g);
  return [...words].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

test("R183: a queued review that failed is queued again, does what is left, and is exported", async () => {
  const project = makeProject();
  // As someone would who takes the example along: its folder, and the one that examples share.
  for (const folder of [EXAMPLE, "examples/fault"]) {
    cpSync(resolve(folder), join(project.folder, folder), {
      recursive: true,
      filter: (path) => !path.endsWith("/out"),
    });
  }
  symlinkSync(resolve("node_modules"), join(project.folder, "node_modules"));
  const readme = readFileSync(join(EXAMPLE, "README.md"), "utf8");
  const block = /```sh\n(npx millrace queue enqueue[\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const exits: (number | null)[] = [];
  for (const line of block.trim().split("\n")) {
    const words = splitWords(line);
    if (words[0] === "npx") exits.push((await project.run(...words.slice(2))).exitCode);
    else execFileSync(words[0] ?? "", words.slice(1), { cwd: project.folder });
  }

  expect(exits).toEqual([0, 1, 0, 0, 0]);
  const exported = JSON.parse(project.read("checkpoint.json")) as Record<string, object>;
  expect(exported["status"]).toBe("completed");
  expect(Object.keys(exported["papers"] ?? {})).toHaveLength(8);
});
