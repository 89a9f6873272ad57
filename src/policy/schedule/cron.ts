// The one place that knows croner, as a calculator of calendars: which local times an expression names, as if the zone
// had no clock changes. What clock changes make of them is decided beside (`next-tick.ts`), by our own rule.
//
// Local times are written as UTC ms of the same figures. Seconds are the smallest unit.

import { Cron } from "croner";
import { CRON_CHARS_MAX } from "../../model/limits.ts";
import { err, ok, type Result } from "../../std/result.ts";

/** Names for expressions; the others of their kind ("@reboot") are no times. */
const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** The local times of an expression. */
export interface CronCalendar {
  /** The first local time after this one; null: there is none. */
  next(afterLocalMs: number): number | null;
  /** True: its hour is "*" or "*\/n", so that it follows the clock as it passes. */
  readonly followsClock: boolean;
}

/** Reads an expression; the error is a sentence. That it ever fires is not checked here. */
export function parseCron(expression: string): Result<CronCalendar, string> {
  if (expression.length > CRON_CHARS_MAX) {
    return err(`expected at most ${CRON_CHARS_MAX} characters; got ${expression.length}`);
  }
  const trimmed = expression.trim();
  const text = NICKNAMES[trimmed.toLowerCase()] ?? trimmed;
  const fields = text.split(/\s+/);
  const hour = fields.at(-4);
  // A "?" stands for the moment at which it is read, which differs from process to process.
  if ((fields.length !== 5 && fields.length !== 6) || text.includes("?") || hour === undefined) {
    return err(
      `expected five fields (minute hour day month weekday), or six with seconds first, without "?"; got ${JSON.stringify(expression)}`,
    );
  }
  try {
    const cron = new Cron(text, { paused: true, utcOffset: 0, mode: "5-or-6-parts" });
    return ok({
      next: (afterLocalMs) => {
        // It counts whole seconds, of what it is given as well.
        const from = new Date(Math.floor(afterLocalMs / 1_000) * 1_000);
        return cron.nextRun(from)?.getTime() ?? null;
      },
      followsClock: hour.startsWith("*"),
    });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return err(
      `${said.replace(/^CronPattern: /, "").replace(/\.$/, "")}; got ${JSON.stringify(expression)}`,
    );
  }
}
