// `plan` and its like: what they say, which exit codes they end with, and that they leave nothing behind.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { documentOf, readTree, startHost } from "../support/host.ts";

const DIAMOND = `
import { definePipeline } from "millrace";
import { writeFileSync } from "node:fs";
const run = () => writeFileSync("called", "");
export const diamond = definePipeline({
  name: "diamond",
  input: {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        typeof value?.n === "number" ? { value } : { issues: [{ message: "expected a number", path: ["n"] }] },
    },
  },
  stages: [
    { id: "a", run: ({ n }) => n },
    { id: "b", needs: ["a"], run },
    { id: "c", needs: ["a"], run },
    { id: "d", needs: ["b", "c"], run },
  ],
});
`;

const HURRIED = `
import { definePipeline } from "millrace";
export const hurried = definePipeline({
  name: "hurried",
  deadline: "2s",
  stages: [{ id: "slow", run: () => new Promise(() => {}), timeout: "10s" }],
});
`;

const host = startHost({ "diamond.ts": DIAMOND, "hurried.ts": HURRIED });

afterAll(() => host.close());

describe("plan", () => {
  test("R11: plan --json of a diamond shows its waves", async () => {
    const answer = await host.call(["plan", "diamond.ts", "--json"]);

    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expect(documentOf(answer)).toMatchObject({
      schema: "millrace.plan/1",
      pipeline: "diamond",
      waves: [["a"], ["b", "c"], ["d"]],
      stages: [
        { stage: "a", will: "run", reason: "needs only the input" },
        { stage: "b", will: "run", reason: "follows a" },
        { stage: "c", will: "run" },
        { stage: "d", will: "run", reason: "follows b, c" },
      ],
      basis: "no history",
      work: true,
    });
  });

  test("R265: plan calls nothing, makes no store, and leaves a store that is there as it was", async () => {
    const folder = host.makeFolder({ "diamond.ts": DIAMOND });
    const before = readTree(folder);
    const input = ["--input", '{"n":1}'];

    for (const argv of [["plan"], ["run", "-n"], ["validate"], ["plan", "--until", "b"]]) {
      const { exitCode } = await host.call(
        [argv[0] ?? "", "diamond.ts", ...argv.slice(1), ...input],
        { folder },
      );
      expect(exitCode).toBe(0);
    }
    expect(readTree(folder)).toEqual(before);

    await host.call(["run", "diamond.ts", ...input], { folder });
    expect(existsSync(join(folder, "called"))).toBe(true);
    const withStore = readTree(folder);
    const planned = await host.call(["plan", "diamond.ts", ...input, "--from", "d"], { folder });

    expect(planned.stdout).toMatch(/^ +1 +a +checkpoint +its result of run 1 is read/m);
    expect(planned.stdout).toContain("(1 earlier run)");
    const after = Object.entries(readTree(folder)).filter(([name]) => !name.endsWith("-shm"));
    expect(Object.fromEntries(after)).toEqual(
      Object.fromEntries(Object.entries(withStore).filter(([name]) => !name.endsWith("-shm"))),
    );
  });

  test("R265: --report writes the plan to the named file, and to no other", async () => {
    const folder = host.makeFolder({ "diamond.ts": DIAMOND });

    const { exitCode } = await host.call(["plan", "diamond.ts", "--report", "plan.json"], {
      folder,
    });

    const tree = readTree(folder);
    expect(exitCode).toBe(0);
    expect(Object.keys(tree).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "diamond.ts",
      "plan.json",
    ]);
    expect(JSON.parse(Buffer.from(tree["plan.json"] ?? "", "base64").toString())).toMatchObject({
      schema: "millrace.plan/1",
      pipeline: "diamond",
    });
    const failed = await host.call(["plan", "diamond.ts", "--report", "no/where.json"], { folder });
    expect(failed).toMatchObject({ exitCode: 6 });
  });

  test("R266: exit 0 for a plan, 2 for faults, and 20 with --detailed-exitcode when there is work", async () => {
    const code = async (...argv: string[]): Promise<number> => (await host.call(argv)).exitCode;

    expect(await code("plan", "diamond.ts")).toBe(0);
    expect(await code("plan", "diamond.ts", "--detailed-exitcode")).toBe(20);
    expect(await code("plan", "diamond.ts", "--detailed-exitcode", "--skip", "a")).toBe(0);
    expect(await code("plan", "nowhere.ts", "--detailed-exitcode")).toBe(2);
    expect(await code("plan", "diamond.ts", "--input", '{"n":"x"}')).toBe(2);
    expect(await code("plan", "diamond.ts", "--config", "nowhere.config.ts")).toBe(2);
  });

  test("an unknown stage is told with the flag it came with, and as a command that works", async () => {
    const { exitCode, stderr } = await host.call(["plan", "diamond.ts", "--skip", "A1"]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain("  given  --skip A1\n  known  a, b, c, d\n");
    expect((await host.call(["plan", "diamond.ts", "--only", "b"])).stderr).toContain(
      "CHECKPOINT_MISSING",
    );
  });

  test("the input is checked by the pipeline's schema, with its path", async () => {
    const { exitCode, stderr } = await host.call(["plan", "diamond.ts", "--set", "n=text"]);

    expect(exitCode).toBe(2);
    expect(stderr).toContain("  n: expected a number");
  });

  test("the command it prints starts what was planned", async () => {
    const { stdout } = await host.call(["plan", "diamond.ts", "--set", "n=2", "--until", "b"]);

    expect(stdout).toMatch(/^start: npx millrace run diamond.ts --set n=2 --until b$/m);
  });

  test("a run deadline below a stage timeout is a warning", async () => {
    const { exitCode, stdout } = await host.call(["plan", "hurried.ts"]);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('the run\'s deadline of 2s is below the timeout of "slow", 10s');
    expect(documentOf(await host.call(["plan", "hurried.ts", "--json"]))).toMatchObject({
      warnings: [expect.stringContaining("deadline of 2s")],
    });
  });

  test("validate says that there are no faults, in text and as a document", async () => {
    expect((await host.call(["validate", "diamond.ts"])).stdout).toMatch(
      /^diamond [0-9a-f]{16}: no faults, 4 stages$/m,
    );
    expect(documentOf(await host.call(["validate", "diamond.ts", "--json"]))).toMatchObject({
      pipeline: "diamond",
      faults: [],
    });
  });
});
