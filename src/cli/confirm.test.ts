import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { systemClock } from "../std/clock.ts";
import { systemRandom } from "../std/random.ts";
import type { CliContext } from "./cli-context.ts";
import { confirm } from "./confirm.ts";
import { guessCommonFlags } from "./verb/common-flags.ts";

const ASKED = { deed: "delete 2 runs", yes: false, dryRun: "npx millrace gc -n" };

function makeContext(isTTY: boolean): CliContext & { typed: PassThrough; stderr: PassThrough } {
  const typed = Object.assign(new PassThrough(), { isTTY });
  return {
    typed,
    stdin: () => typed,
    stdout: new PassThrough(),
    stderr: Object.assign(new PassThrough(), { isTTY }),
    env: {},
    cwd: "/",
    clock: systemClock,
    random: systemRandom,
    flags: guessCommonFlags([]),
    onSignal: () => () => undefined,
  };
}

test.each([
  ["y", true],
  ["Yes", true],
  ["", false],
  ["no", false],
  ["yesterday", false],
])("on a terminal the answer %j counts as %s", async (answer, agreed) => {
  const context = makeContext(true);
  context.typed.end(`${answer}\n`);

  expect(await confirm(context, ASKED)).toBe(agreed);
  expect(String(context.stderr.read())).toBe("delete 2 runs? [y/N] ");
});

test("a terminal that is closed without an answer means no", async () => {
  const context = makeContext(true);
  context.typed.end();

  expect(await confirm(context, ASKED)).toBe(false);
});

test("where nobody can be asked only --yes will do, and nothing is read", async () => {
  const context = makeContext(false);

  await expect(confirm(context, ASKED)).rejects.toMatchObject({
    code: "USAGE_INVALID",
    next: "npx millrace gc -n",
  });
  expect(await confirm(context, { ...ASKED, yes: true })).toBe(true);
});
