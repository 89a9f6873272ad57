import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { CliContext, CommonFlags } from "../../cli-context.ts";
import { chooseForm } from "./choose-form.ts";

const FLAGS: CommonFlags = {
  store: undefined,
  config: undefined,
  json: false,
  log: "auto",
  color: "auto",
  ascii: false,
  quiet: false,
  verbose: false,
  logFile: undefined,
};

interface Seen {
  readonly log?: CommonFlags["log"];
  readonly quiet?: boolean;
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

function context({
  log = "auto",
  quiet = false,
  env = {},
  ...stream
}: Seen): Pick<CliContext, "flags" | "env" | "stderr"> {
  const terminal = { isTTY: true, columns: 80, rows: 24, ...stream };
  return {
    flags: { ...FLAGS, log, quiet },
    env,
    stderr: Object.assign(new PassThrough(), terminal),
  };
}

test.each<[string, Seen, string]>([
  ["a terminal", {}, "live"],
  ["a pipe", { isTTY: false }, "lines"],
  ["a dumb terminal", { env: { TERM: "dumb" } }, "lines"],
  ["CI with a terminal", { env: { CI: "true" } }, "lines"],
  ["an empty CI", { env: { CI: "" } }, "live"],
  ["a window of unknown size", { columns: 0, rows: 0 }, "lines"],
  ["49 columns", { columns: 49 }, "lines"],
  ["9 rows", { rows: 9 }, "lines"],
  ["50×10", { columns: 50, rows: 10 }, "live"],
  ["-q", { quiet: true }, "quiet"],
  ["--log agent in a terminal", { log: "agent" }, "agent"],
  ["--log lines with -q", { log: "lines", quiet: true }, "lines"],
])("auto for %s is %s", (_what, seen, form) => {
  expect(chooseForm(context(seen))).toEqual({ form });
});

test.each<[Seen, RegExp]>([
  [{ isTTY: false }, /stderr is no terminal/],
  [{ env: { TERM: "dumb" } }, /TERM=dumb/],
  [{ columns: 40, rows: 9 }, /the window is 40×9, and needs 50×10/],
])("--log live that cannot be had says why in one line", (seen, reason) => {
  const choice = chooseForm(context({ ...seen, log: "live" }));
  expect(choice.form).toBe("lines");
  expect(choice.reason).toMatch(reason);
  expect(choice.reason).not.toContain("\n");
});

test("whoever names live may have it in CI", () => {
  expect(chooseForm(context({ log: "live", env: { CI: "1" } }))).toEqual({ form: "live" });
});
