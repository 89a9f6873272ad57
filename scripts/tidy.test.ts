import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "vitest";
import { plant, runScript } from "./planted-tree.ts";
import { checkTidy } from "./tidy.ts";

// Put together here, so that this file does not carry the faults that it plants.
const TODO = ["TO", "DO"].join("");
const FIXME = ["FIX", "ME"].join("");
const MACHINE = ["", "home", "ana", "millrace"].join("/");

/** "file:line rule" of everything found in a planted tree. */
function found(files: Readonly<Record<string, string>>): string[] {
  using tree = plant(files);
  return checkTidy(tree.root).map(({ file, line, rule }) => `${file}:${line ?? "-"} ${rule}`);
}

/** A page with a title and the given text. */
function page(text: string): string {
  return `# Title\n\n${text}\n`;
}

function lines(count: number): string {
  return "//\n".repeat(count);
}

test("the repository itself is tidy", () => {
  assert.deepEqual(checkTidy(join(import.meta.dirname, "..")), []);
});

describe("reminders", () => {
  test("a reminder needs an issue number, in code and in prose", () => {
    const files = {
      "src/std/a.ts": `const a = 1;\n// ${TODO}: faster\n// ${TODO} #12: faster\n/* ${FIXME} (#3) */\n`,
      "docs/b.md": page(`${TODO} write this`),
    };
    assert.deepEqual(found(files), [
      "docs/b.md:3 tracked-reminder",
      "src/std/a.ts:2 tracked-reminder",
      "src/std/a.ts:4 tracked-reminder",
    ]);
  });

  test("the word in a string, in code or in a code span is no reminder", () => {
    const files = {
      "src/std/a.ts": `const ${TODO} = "${FIXME}";\n`,
      "docs/b.md": page(`A \`${TODO}\` carries a number.\n\n\`\`\`ts\n// ${TODO}\n\`\`\``),
    };
    assert.deepEqual(found(files), []);
  });
});

describe("pages", () => {
  test("a page has one title and begins with it", () => {
    const files = {
      "docs/none.md": "Some text.\n",
      "docs/late.md": "Some text.\n\n# Title\n",
      "docs/two.md": "# One\n\ntext\n\n# Two\n",
      "docs/good.md": "<!-- made by a script -->\n\n# One\n\n```sh\n# a comment\n```\n",
    };
    assert.deepEqual(found(files), [
      "docs/late.md:1 one-title",
      "docs/none.md:1 one-title",
      "docs/two.md:5 one-title",
    ]);
  });

  test("a relative link must lead to a file, a folder or a heading that exists", () => {
    const files = {
      "README.md": page(
        [
          "[good](docs/a.md), [folder](docs/), [heading](docs/a.md#the-second-part), [here](#title),",
          "[host](https://example.com/x), [mail](mailto:a@example.com), `[code](gone.md)`,",
          "[gone](docs/gone.md)",
          "[no heading](docs/a.md#third)",
          "![picture](docs/gone.png)",
          '<img src="docs/gone.svg">',
          "[ref]: docs/gone-too.md",
          "[out](../elsewhere.md) and [root](/docs/a.md)",
        ].join("\n"),
      ),
      "docs/a.md": page("## The `second` part\n\n[up](../README.md)"),
    };
    assert.deepEqual(found(files), [
      "README.md:5 dead-link",
      "README.md:6 dead-link",
      "README.md:7 dead-link",
      "README.md:8 dead-link",
      "README.md:9 dead-link",
      "README.md:10 dead-link",
      "README.md:10 dead-link",
    ]);
  });
});

describe("names", () => {
  test("names that say nothing are refused, as file and as folder", () => {
    const files = {
      "src/engine/utils.ts": "",
      "src/model/types.ts": "",
      "scripts/helpers.test.ts": "",
      "src/common/retry.ts": "",
      "test/misc/a.test.ts": "",
    };
    assert.deepEqual(
      found(files),
      Object.keys(files)
        .toSorted()
        .map((file) => `${file}:- name-says-what`),
    );
  });

  test("a barrel inside a room is refused, a door is not", () => {
    const files = {
      "src/model/index.ts": "",
      "src/exports/index.ts": "",
      "examples/01-a/index.ts": "",
    };
    assert.deepEqual(found(files), ["src/model/index.ts:- no-barrel"]);
  });

  test("code files are kebab-case", () => {
    const files = {
      "src/engine/runDriver.ts": "",
      "src/engine/run-driver.ts": "",
      "src/storage/sqlite/claim.store.test.ts": "",
      "millrace.config.ts": "",
    };
    assert.deepEqual(found(files), ["src/engine/runDriver.ts:- kebab-case"]);
  });
});

describe("sizes", () => {
  test("a source file ends at 400 lines, a test at 600, a migration where it must", () => {
    const files = {
      "src/engine/fits.ts": lines(400),
      "src/engine/long.ts": lines(401),
      "src/engine/fits.test.ts": lines(600),
      "src/engine/long.test.ts": lines(601),
      "src/storage/sqlite/migrations/0001-first.ts": lines(900),
    };
    assert.deepEqual(found(files), [
      "src/engine/long.test.ts:- file-ceiling",
      "src/engine/long.ts:- file-ceiling",
    ]);
  });

  test("a folder ends at 20 files, tests not counted", () => {
    const filled = (folder: string, count: number): [string, string][] =>
      Array.from({ length: count }, (_, index): [string, string] => [
        `${folder}/file-${index}.ts`,
        "",
      ]);
    const files = Object.fromEntries([
      ...filled("src/engine", 21),
      ...filled("src/model", 20),
      ["src/model/file-0.test.ts", ""],
    ]);
    assert.deepEqual(found(files), ["src/engine:- folder-ceiling"]);
  });
});

test("a path of one machine is found in code, pages and settings, and an address is none", () => {
  const files = {
    "src/std/a.ts": `const a = "${MACHINE}/a.ts";\nconst b = "https://example.com${MACHINE}";\n`,
    "docs/a.md": page(`Run \`cd ${MACHINE}\`.`),
    ".oxlintrc.json": `{ "path": "${MACHINE}" }`,
  };
  assert.deepEqual(found(files), [
    ".oxlintrc.json:1 no-machine-path",
    "docs/a.md:3 no-machine-path",
    "src/std/a.ts:1 no-machine-path",
  ]);
});

test("what is installed or built is not read", () => {
  const files = {
    "node_modules/a/utils.ts": "",
    "dist/utils.ts": "",
    "bench/node_modules/b/README.md": "x",
    "examples/01-a/out/utils.ts": "",
  };
  assert.deepEqual(found(files), []);
});

test("the command prints each sentence with its place, and ends with 1", async () => {
  using tree = plant({ "docs/a.md": "no title\n" });

  const ended = await runScript("tidy.ts", [tree.root]);

  assert.equal(ended.exitCode, 1);
  assert.match(ended.stderr, /^docs\/a\.md:1 {2}one-title\n {4}A page begins with its title/);
});
