// `init` and `doctor`: what a newcomer calls first. What `init` writes runs at once, offline, with the copy
// that wrote it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { documentOf, readTree, startHost } from "../support/host.ts";

const host = startHost();

afterAll(() => host.close());

describe("init", () => {
  test.each([
    ["hello", "hello", { shout: "HELLO, WORLD!", letters: 13 }],
    ["map", "measure", { longest: { word: "spring", letters: 6 } }],
    ["command", "versions", { report: { node: process.version } }],
  ])(
    "the template %s runs at once, by its file and by its name",
    async (template, name, outputs) => {
      const folder = host.makeFolder({});

      const made = await host.call(["init", "--template", template], { folder });
      const run = await host.call(["run", `pipelines/${template}.ts`, "--json"], { folder });
      const named = await host.call(["run", name], { folder });
      const shown = await host.call(["show", "last"], { folder });

      expect(made).toMatchObject({ exitCode: 0, stderr: "" });
      expect(made.stdout).toBe(
        [
          `created millrace.config.ts, pipelines/${template}.ts, package.json, .gitignore`,
          `next  npx millrace run pipelines/${template}.ts      then  npx millrace show last`,
          "",
        ].join("\n"),
      );
      expect(run.exitCode).toBe(0);
      expect(documentOf(run)).toMatchObject({ outputs });
      expect(named.exitCode).toBe(0);
      expect(shown.exitCode).toBe(0);
    },
  );

  test("the manifest starts the pipeline, and the store is ignored by git", async () => {
    const folder = host.makeFolder({ ".gitignore": "node_modules" });

    await host.call(["init", "My Demo!"], { folder });

    const inside = join(folder, "My Demo!");
    expect(JSON.parse(readFileSync(join(inside, "package.json"), "utf8"))).toEqual({
      name: "my-demo-",
      private: true,
      type: "module",
      scripts: { start: "millrace run pipelines/hello.ts" },
      dependencies: { millrace: expect.stringMatching(/^\^\d+\.\d+\.\d+/) },
    });
    expect(readFileSync(join(inside, ".gitignore"), "utf8")).toBe(".millrace/\n");
  });

  test("a line is added to a .gitignore once, and a manifest that is there stays", async () => {
    const folder = host.makeFolder({ ".gitignore": "node_modules", "package.json": "{}" });

    const { stdout } = await host.call(["init"], { folder });

    expect(stdout).toContain("created millrace.config.ts, pipelines/hello.ts, .gitignore\n");
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("node_modules\n.millrace/\n");
    expect(readFileSync(join(folder, "package.json"), "utf8")).toBe("{}");
    const other = host.makeFolder({ ".gitignore": "/.millrace/\n" });
    expect((await host.call(["init"], { folder: other })).stdout).not.toContain(".gitignore");
  });

  test("it overwrites nothing: what is in the way is listed, exit 4, and nothing is written", async () => {
    const folder = host.makeFolder({ "pipelines/hello.ts": "mine" });
    const before = readTree(folder);

    const { exitCode, stderr } = await host.call(["init"], { folder });

    expect(exitCode).toBe(4);
    expect(stderr).toContain("pipelines/hello.ts is there already");
    expect(readTree(folder)).toEqual(before);
  });

  test("another folder is made, and the commands lead into it", async () => {
    const folder = host.makeFolder({});

    const answer = await host.call(["init", "demo", "--json"], { folder });

    expect(documentOf(answer)).toEqual({
      schema: "millrace.init/1",
      created: ["millrace.config.ts", "pipelines/hello.ts", "package.json", ".gitignore"],
      next: ["cd demo && npx millrace run pipelines/hello.ts", "npx millrace show last"],
    });
    expect(existsSync(join(folder, "demo/pipelines/hello.ts"))).toBe(true);
  });

  test("an unknown template is exit 2 with the ones there are", async () => {
    const { exitCode, stderr } = await host.call(["init", "--template", "helo"]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected hello, map, command; got "helo" (did you mean "hello"?)');
  });
});

describe("doctor", () => {
  test("checks everything a run depends on, exit 0, and changes nothing", async () => {
    const folder = host.makeFolder({});
    await host.call(["init"], { folder });
    await host.call(["run", "hello"], { folder });
    const before = readTree(folder);

    const { exitCode, stdout } = await host.call(["doctor"], { folder });
    const document = documentOf(await host.call(["doctor", "--json"], { folder }));

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {4}node +24\.\d+\.\d+ \(needs 24\.15\.0\)$/m);
    expect(stdout).toMatch(/^\w+ +sqlite +3\.\d+\.\d+, write and sync in \d+\.\d ms$/m);
    expect(stdout).toMatch(/^ok {4}config +millrace.config.ts, 1 pipeline loads$/m);
    expect(stdout).toContain("◌ ⧗ ↻ ◐ ✓ ⊘ ◆ ◇ ■   . = ~ > + - X x #");
    expect(document).toMatchObject({
      schema: "millrace.doctor/1",
      checks: expect.arrayContaining([expect.objectContaining({ name: "node", status: "ok" })]),
    });
    const after = Object.entries(readTree(folder)).filter(([name]) => !name.endsWith("-shm"));
    expect(Object.fromEntries(after)).toEqual(
      Object.fromEntries(Object.entries(before).filter(([name]) => !name.endsWith("-shm"))),
    );
  });

  test("a configuration that does not load is a failed check, exit 1, and the others go on", async () => {
    const folder = host.makeFolder({ "millrace.config.ts": "export default { stor: 1 };" });

    const { exitCode, stdout } = await host.call(["doctor"], { folder });

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fail {2}config +.*did you mean "store"\?/m);
    expect(stdout).toMatch(/^ok {4}node/m);
  });

  test("a store that is no store is a failed check, exit 1", async () => {
    const folder = host.makeFolder({ "broken.db": "this is no database, and long enough to tell" });

    const { exitCode, stdout } = await host.call(["doctor", "--store", "sqlite:broken.db"], {
      folder,
    });

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fail {2}store/m);
  });

  test("a clock that is behind the newest run is a warning, exit 0, and 3 with --strict", async () => {
    const folder = host.makeFolder({});
    await host.call(["init"], { folder });
    await host.call(["run", "hello"], { folder });
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(join(folder, ".millrace/store.db"));
    database.exec("UPDATE runs SET updated_at_ms = updated_at_ms + 3600000");
    database.close();

    const { exitCode, stdout } = await host.call(["doctor"], { folder });

    expect(stdout).toMatch(/^warn {2}clock +3\d{3}\.\d s behind the newest run$/m);
    expect(exitCode).toBe(0);
    expect((await host.call(["doctor", "--strict"], { folder })).exitCode).toBe(3);
  });
});
