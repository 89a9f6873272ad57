// Every program in docs/start and docs/guides runs as it is printed and says what the page says.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { startHost } from "../support/host.ts";

const run = promisify(execFile);
mkdirSync("test/.tmp", { recursive: true });
const folder = mkdtempSync(resolve("test/.tmp/guides-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Page {
  readonly path: string;
  readonly text: string;
}

const PAGES: readonly Page[] = ["docs/start", "docs/guides"].flatMap((place) =>
  readdirSync(place).map((name) => {
    const path = join(place, name);
    return { path, text: readFileSync(path, "utf8") };
  }),
);

interface Block {
  readonly kind: string;
  readonly text: string;
}

function listBlocks(text: string): readonly Block[] {
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, kind = "", body = ""]) => ({
    kind,
    text: body,
  }));
}

/** Held by a test of its own: its programs are requests. */
const REQUESTS = "docs/guides/api.md";

test.each(PAGES.filter(({ path }) => path !== REQUESTS))(
  "$path: its programs print what the page says",
  async ({ text }) => {
    const blocks = listBlocks(text);
    const programs = blocks.filter(({ kind }) => kind === "ts");
    expect(programs.length).toBeGreaterThan(0);
    let last = "";
    for (const { text: program } of programs) {
      last = /^\/\/ (\S+\.ts)/.exec(program)?.[1] ?? "";
      expect(last, "a program starts with its file name").not.toBe("");
      writeFileSync(join(folder, last), program);
    }
    const { stdout } = await run(process.execPath, ["--conditions=@millrace/source", last], {
      cwd: folder,
    });
    const expected = blocks.findLast(({ kind }) => kind === "text")?.text;
    expect(stdout).toBe(expected);
  },
);

test("R299: every command printed in the guides works as it stands", async () => {
  const host = startHost();
  onTestFinished(() => host.close());
  writeFileSync(
    join(folder, "first.ts"),
    listBlocks(readFileSync("docs/start/first-pipeline.md", "utf8"))[0]?.text ?? "",
  );
  const lines = PAGES.toSorted((a, b) => (a.path < b.path ? 1 : -1))
    .flatMap(({ text }) => listBlocks(text))
    .filter(({ kind }) => kind === "sh")
    .flatMap(({ text }) => text.trim().split("\n"));
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) {
    expect(line).toMatch(/^npx millrace /);
    const args = splitArguments(line).slice(2);
    const { exitCode, stderr } = await host.call(args, { folder });
    expect(exitCode, `${line}\n${stderr}`).toBe(0);
    expect(stderr, line).not.toContain("error:");
  }
});

/** Words of a command line; single quotes group. */
function splitArguments(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
