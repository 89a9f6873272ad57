// A limit that is changed from outside while a run works under it.

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeProject, type Project } from "../support/command.ts";

const PIPELINE = `
import { existsSync, writeFileSync } from "node:fs";
import { map, pipeline, resource } from "millrace";
const api = resource("api", { limit: 1 });
const calls = map(
  "calls",
  { over: [1, 2, 3, 4, 5, 6], key: String, concurrency: 6, uses: [api] },
  async (item, _needs, ctx) => {
    writeFileSync("started-" + item, "");
    while (!existsSync("go-" + item)) await ctx.sleep(5);
    return item;
  },
);
export const work = pipeline("work", { output: { calls } });
`;

function listStarted({ folder }: Project): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith("started-"));
}

interface Standing {
  readonly held: number;
  readonly limit: number;
}

async function stand(project: Project): Promise<Standing> {
  const { stdout } = await project.run("resources", "list", "api", "--json");
  return JSON.parse(stdout).resources[0];
}

/** Asks until it is so; the test's own time limit ends it. */
async function until<T>(ask: () => T | Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("R109: a limit set from 1 to 3 lets three run, and set back to 1 nobody starts until none runs", async () => {
  const project = makeProject();
  writeFileSync(join(project.folder, "work.ts"), PIPELINE);
  const work = project.start("run", "work.ts");
  const started = (): readonly string[] => listStarted(project);
  const letGo = (name: string | undefined): void =>
    project.touch(String(name).replace("started", "go"));
  await until(started, ({ length }) => length === 1);
  expect(await stand(project)).toMatchObject({ held: 1, limit: 1 });

  await project.run("resources", "set", "api", "limit=3");
  const three = await until(started, ({ length }) => length === 3);
  expect(await stand(project)).toMatchObject({ held: 3, limit: 3 });

  await project.run("resources", "set", "api", "limit=1");
  letGo(three[0]);
  letGo(three[1]);
  await until(
    () => stand(project),
    ({ held }) => held === 1,
  );
  expect(started()).toEqual(three);

  letGo(three[2]);
  const four = await until(started, ({ length }) => length > 3);
  expect(four.length).toBe(4);
  expect(await stand(project)).toMatchObject({ held: 1, limit: 1 });

  for (const item of [1, 2, 3, 4, 5, 6]) project.touch(`go-${item}`);
  expect((await work.ended).exitCode).toBe(0);
});
