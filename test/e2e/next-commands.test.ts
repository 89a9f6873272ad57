// Every command that is printed anywhere works as it stands: it is copied from the output of all kinds of
// calls, read as a shell reads it, and called.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startHost, type Answer } from "../support/host.ts";

const host = startHost({
  "my crawl.ts": `
import { definePipeline } from "millrace";
export const crawl = definePipeline({
  name: "crawl",
  stages: [
    { id: "list", run: () => ["row 1", "it's"] },
    { id: "score", over: "list", key: (row) => row, onItemFailure: "continue", tolerate: 0, run: (row) => { if (row === "it's") throw new Error("HTTP 502"); return 1; } },
    { id: "save", needs: ["score"], run: () => 1 },
  ],
});
export const narrow = definePipeline({ name: "narrow", maxQueued: 1, stages: [{ id: "a", run: () => 1 }] });
export const fine = definePipeline({ name: "fine", stages: [{ id: "a", run: () => 1 }] });
`,
});

afterAll(() => host.close());

const STORE = ["--store", "sqlite:my store.db"];

/** Calls that fail, ask, or end, so that all kinds of next commands are printed. */
const CALLS: readonly (readonly string[])[] = [
  [],
  ["--help"],
  ["rusn"],
  ["run", "--onyl"],
  ["run"],
  ["run", "my crwal.ts"],
  ["run", "my crawl.ts"],
  ["run", "my crawl.ts#crawl"],
  ["run", "my crawl.ts#fine", "--key", "k"],
  ["run", "my crawl.ts#fine", "--key", "k"],
  ["run", "my crawl.ts#crawl", "--only", "scroe"],
  ["plan", "my crawl.ts#crawl", "--skip", "scroe"],
  ["plan", "my crawl.ts#fine"],
  ["runs", "--limit", "1"],
  ["runs", "--limit", "0"],
  ["show", "1"],
  ["show", "1/score"],
  ["show", "1/score/it's"],
  ["show", "1/scroe"],
  ["show", "zz"],
  ["items", "1/score", "--limit", "1"],
  ["items", "1"],
  ["why", "1"],
  ["why", "1/score"],
  ["why", "1/save"],
  ["why", "1/score/nope"],
  ["why", "2"],
  ["cancel", "2"],
  ["cancel"],
  ["resume", "2"],
  ["resume", "1"],
  ["rerun", "2"],
  ["graph", "my crawl.ts#fine", "--run", "1"],
  ["queue"],
  ["queue", "enqeue"],
  ["queue", "enqueue", "my crawl.ts#fine", "--priority", "x"],
  ["queue", "enqueue", "my crawl.ts#fine"],
  ["queue", "enqueue", "my crawl.ts#crawl"],
  ["why", "last"],
  ["queue", "enqueue", "my crawl.ts#fine", "--delay", "1h"],
  ["why", "last"],
  ["queue", "run", "my crawl.ts", "--drain"],
  ["queue", "enqueue", "my crawl.ts#crawl"],
  ["queue", "run", "my crawl.ts#crawl", "--drain"],
  ["queue", "enqueue", "my crawl.ts#narrow"],
  ["queue", "enqueue", "my crawl.ts#narrow"],
  ["queue", "requeue", "last"],
  ["queue", "retry-failed"],
  ["queue", "purge"],
  ["queue", "purge", "--state", "failed", "--older-than", "1ms"],
  ["doctor"],
  ["init", "demo"],
  ["init", "demo"],
];

/** Codes that mean: the command as it was printed cannot be called. */
const NOT_ACCEPTED =
  /code {3}(VERB_UNKNOWN|FLAG_UNKNOWN|USAGE_INVALID|PIPELINE_NOT_FOUND|PIPELINE_UNKNOWN|RUN_NOT_FOUND|STAGE_UNKNOWN|STORE_NOT_FOUND|CONFIG_NOT_FOUND) /;

/** The commands in an answer, up to the text that explains them, each with the folder it is for. */
function listCommands({ stdout, stderr }: Answer): readonly (readonly [string, string])[] {
  const matches = `${stdout}\n${stderr}`.matchAll(/(?:cd (\S+) && )?npx millrace ([^\n]*)/g);
  return [...matches].map(([, folder = ".", rest = ""]) => [
    (rest.split(/ {2,}/)[0] ?? "").trim(),
    join(host.folder, folder),
  ]);
}

/** Words as a shell reads them. */
function readAsShell(command: string): readonly string[] {
  const script = `for word in ${command}; do printf '%s\\0' "$word"; done`;
  return execFileSync("sh", ["-c", script]).toString().split("\0").slice(0, -1);
}

test("R299: every next command that is printed is accepted as it stands", async () => {
  const found = new Map<string, { readonly folder: string; readonly origin: string }>();
  for (const call of CALLS) {
    const answer = await host.call(call.length === 0 ? call : [...call, ...STORE]);
    for (const [command, folder] of listCommands(answer)) {
      found.set(command, { folder, origin: call.join(" ") });
    }
  }
  expect(found.size).toBeGreaterThan(20);
  expect([...found.keys()]).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^queue retry-failed --yes /),
      expect.stringMatching(/^queue run 'my crawl.ts#narrow' --drain /),
      expect.stringMatching(/^queue run --drain 'my crawl.ts#crawl' /),
    ]),
  );

  const refused: string[] = [];
  for (const [command, { folder, origin }] of found) {
    // A placeholder for whatever verb one wants to read about.
    if (command.includes("<verb>")) continue;
    const { stderr } = await host.call(readAsShell(command), { folder });
    if (NOT_ACCEPTED.test(stderr)) refused.push(`${command}   (printed by: ${origin})\n${stderr}`);
  }
  expect(refused.join("\n")).toBe("");
});
