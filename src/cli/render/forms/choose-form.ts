// Which form of stderr a call gets: what was asked for where it can be had, and why not where it cannot. `auto`
// is live only where a person is likely to look and the window is large enough to look at.

import type { CliContext, LogForm } from "../../cli-context.ts";

/** Forms that can be made. */
export type FormName = Exclude<LogForm, "auto">;

/** Smallest window that the live form draws in. */
const LIVE_COLUMNS_MIN = 50;
const LIVE_ROWS_MIN = 10;

/** A form, and in one line why it is another one than asked for. */
export interface FormChoice {
  readonly form: FormName;
  readonly reason?: string;
}

/** Chooses. `-q` counts as `--log quiet` unless another form is named. */
export function chooseForm(context: Pick<CliContext, "flags" | "env" | "stderr">): FormChoice {
  const { log, quiet } = context.flags;
  if (log === "auto" && quiet) return { form: "quiet" };
  if (log !== "auto" && log !== "live") return { form: log };
  const obstacle = findObstacle(context, log === "live");
  if (obstacle === undefined) return { form: "live" };
  if (log === "auto") return { form: "lines" };
  return { form: "lines", reason: `--log live is not possible: ${obstacle}; showing lines` };
}

/** Why the live form cannot be drawn. Whoever names it may have it in CI; a terminal it needs all the same. */
function findObstacle(
  { env, stderr }: Pick<CliContext, "env" | "stderr">,
  isNamed: boolean,
): string | undefined {
  if (stderr.isTTY !== true) return "stderr is no terminal";
  if (env["TERM"] === "dumb") return "the terminal is dumb (TERM=dumb)";
  const ci = env["CI"];
  if (!isNamed && ci !== undefined && ci !== "") return "CI is set";
  const { columns = 0, rows = 0 } = stderr;
  if (columns === 0 || rows === 0) return "the size of the window is not known";
  if (columns < LIVE_COLUMNS_MIN || rows < LIVE_ROWS_MIN) {
    return `the window is ${columns}×${rows}, and needs ${LIVE_COLUMNS_MIN}×${LIVE_ROWS_MIN}`;
  }
  return undefined;
}
