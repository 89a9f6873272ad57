// There is no workflow of a build service yet. One that comes runs only what it names by its contents, with a token that
// reads, and with no secret where a stranger's change is built.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Where build services look. */
const FOLDERS = [".github/workflows", ".github/actions", ".gitlab", ".circleci", ".buildkite"];
const FILES = [
  ".gitlab-ci.yml",
  "azure-pipelines.yml",
  ".travis.yml",
  "Jenkinsfile",
  "bitbucket-pipelines.yml",
];

function listWorkflows(): readonly string[] {
  const inFolders = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  return [...inFolders, ...FILES.filter((file) => existsSync(file))];
}

/** What is wrong with a workflow, in words. */
function findFaults(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/(?<!\S)#.*$/, "").trimEnd());
  const used = lines.flatMap((line) => /^\s*(?:- )?uses:\s*["']?([^"'\s]+)/.exec(line)?.[1] ?? []);
  const loose = used.filter(
    (name) => !name.startsWith("./") && !/@(?:[0-9a-f]{40}|sha256:[0-9a-f]{64})$/.test(name),
  );
  const images = lines.flatMap((line) => /^\s*(?:- )?image:\s*(\S+)/.exec(line)?.[1] ?? []);
  const own = lines.filter((line) => line.startsWith("permissions:"));
  const granted = lines.filter((line) =>
    /^\s+[\w-]+:\s*write\b|permissions:\s*write-all/.test(line),
  );
  const strange = lines.filter((line) => /\bpull_request_target\b|\bworkflow_run\b/.test(line));
  const forks = lines.some((line) => /\bpull_request\b/.test(line));
  const secrets = lines.filter((line) => /\bsecrets\b/.test(line));
  return [
    ...loose.map((name) => `not pinned by digest: ${name}`),
    ...images.filter((name) => !name.includes("@sha256:")).map((name) => `not pinned: ${name}`),
    ...(own.length === 0 ? ["says no permissions of its own"] : []),
    ...granted.map((line) => `may write: ${line.trim()}`),
    ...strange.map((line) => `runs with secrets for forks: ${line.trim()}`),
    ...(forks ? secrets.map((line) => `a secret where forks are built: ${line.trim()}`) : []),
  ];
}

const GOOD = `
on: [push, pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@08eba0b27e820071cde6df949e0beb9ba4906955 # v4
      - run: npm ci --ignore-scripts && npm run ci
`;

test("S45: the judge of workflows lets a careful one pass, and names each fault of others", () => {
  expect(findFaults(GOOD)).toEqual([]);
  const bad = [
    GOOD.replace(/@[0-9a-f]{40}/, "@v4"),
    GOOD.replace("permissions:\n  contents: read\n", ""),
    GOOD.replace("contents: read", "contents: write"),
    GOOD.replace("contents: read", "id-token: write"),
    GOOD.replace("permissions:\n  contents: read", "permissions: write-all"),
    GOOD.replace("pull_request", "pull_request_target"),
    GOOD.replace("runs-on", "container:\n      image: node:24\n    runs-on"),
    GOOD.replace("- run: npm", "- env:\n          TOKEN: ${{ secrets.TOKEN }}\n        run: npm"),
  ];
  for (const text of bad) expect([text, findFaults(text).length > 0]).toEqual([text, true]);
});

test("S45: every workflow pins what it uses by digest, may only read, and has no secret for forks", () => {
  for (const file of listWorkflows()) {
    // Of other services nothing is known here: who adds one says how it keeps the same.
    expect([file, /^\.github\/(?:workflows|actions)\/.+\.ya?ml$/.test(file)]).toEqual([file, true]);
    expect([file, findFaults(readFileSync(file, "utf8"))]).toEqual([file, []]);
  }
});
