// Everything that watches one run for the people in front of it: the form of stderr, the log file, the picture
// both read, and what user code prints meanwhile. Made before the run starts and closed on every way out.

import type { LogLevel } from "../../config/define-config.ts";
import type { MillraceEvent } from "../../model/event.ts";
import type { CliContext } from "../cli-context.ts";
import { makePaint, resolveColor } from "../render/color.ts";
import { chooseForm } from "../render/forms/choose-form.ts";
import { AgentForm } from "../render/forms/agent-form.ts";
import { makeJsonForm } from "../render/forms/json-form.ts";
import { LinesForm } from "../render/forms/lines-form.ts";
import { LiveForm } from "../render/forms/live-form.ts";
import type { FormOptions, LogsShown, ProgressForm } from "../render/forms/progress-form.ts";
import { makeQuietForm } from "../render/forms/quiet-form.ts";
import { lookOf, plainLook } from "../render/look.ts";
import { alphabetOf } from "../render/marks.ts";
import { applyEvent, makeProgress } from "../render/progress/progress-model.ts";
import type { Forecast, PlannedRun, Progress } from "../render/progress/progress.ts";
import type { LogFile } from "./log-file.ts";
import { guardOutput, tameLine, type OutputGuard } from "./output-guard.ts";
import { onSuddenEnd, openTerminal } from "./terminal.ts";

/** What is to be watched, and how. */
export interface WatchOptions {
  readonly plan: PlannedRun;
  readonly logs: LogsShown;
  /** Lines of stages below this level are not shown. */
  readonly logLevel: LogLevel;
  /** Where the lines form is written as well. */
  readonly logFile: LogFile | undefined;
}

/** A run under watch. */
export interface Watch {
  readonly progress: Progress;
  /** All forms at once. */
  readonly form: ProgressForm;
  /** Takes an event in and tells it. */
  take(event: MillraceEvent): void;
  /** Takes in what earlier runs say of this one. Ignored after `close`. */
  foresee(forecast: Forecast): void;
  /** Gives back streams and terminal. Safe to repeat; called after `form.finish`, or instead of it. */
  close(): void;
}

/** Starts to watch. The log file is closed with the watch. */
export function openWatch(context: CliContext, options: WatchOptions): Watch {
  const progress = makeProgress(options.plan);
  const file = options.logFile;
  const main = makeMainForm(context, progress, options.logs);
  const forms = [
    main.form,
    ...(file === undefined ? [] : [makeFileForm(context, file, { progress, logs: options.logs })]),
  ];
  const form = joinForms(forms);
  const guards = main.guard();
  const giveBack = (): void => {
    // First the streams, so that whoever reports the end is heard.
    for (const guard of guards.splice(0)) guard.restore();
    form.abandon();
  };
  const forget = onSuddenEnd(giveBack);
  let isOpen = true;
  const levelMin = LEVELS.indexOf(options.logLevel);
  return {
    progress,
    form,
    take(event) {
      if (event.type === "stage.logged" && levelOf(event) < levelMin) return;
      form.tell(applyEvent(progress, event));
    },
    foresee(forecast) {
      if (!isOpen) return;
      progress.forecast = forecast;
      form.foresee();
    },
    close() {
      isOpen = false;
      forget();
      giveBack();
      file?.close();
    },
  };
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

function levelOf(event: MillraceEvent): number {
  const level = LEVELS.findIndex((word) => word === event.data?.["level"]);
  return level === -1 ? LEVELS.indexOf("info") : level;
}

/** The form of stderr, and how the streams are guarded while it writes. */
interface MainForm {
  readonly form: ProgressForm;
  readonly guard: () => OutputGuard[];
}

function makeMainForm(context: CliContext, progress: Progress, logs: LogsShown): MainForm {
  const { stderr, stdout, clock, flags } = context;
  const choice = chooseForm(context);
  // Bound now: while the streams are guarded, this is what still reaches the terminal.
  const write = stderr.write.bind(stderr);
  const put = (text: string): void => {
    write(text);
  };
  if (choice.reason !== undefined) put(`${choice.reason}\n`);
  const options: FormOptions = { progress, clock, logs, look: lookOf(context, stderr), write: put };
  if (choice.form !== "live") return { form: FORMS[choice.form](options), guard: () => [] };
  const live = new LiveForm({ ...options, ...openTerminal(context), stdin: context.stdin() });
  const isColored = resolveColor({ flag: flags.color, env: context.env, isTerminal: true });
  const print = (line: string): void => live.print(tameLine(line, isColored));
  // A stdout that is a file or a pipe receives what user code prints; one on this terminal would spoil the block.
  const shared = stdout.isTTY === true ? [stdout, stderr] : [stderr];
  return { form: live, guard: () => shared.map((stream) => guardOutput(stream, print)) };
}

const FORMS: Readonly<
  Record<"lines" | "json" | "agent" | "quiet", (options: FormOptions) => ProgressForm>
> = {
  lines: (options) => new LinesForm(options),
  json: makeJsonForm,
  agent: (options) => new AgentForm(options),
  quiet: makeQuietForm,
};

function makeFileForm(
  context: Pick<CliContext, "clock" | "flags">,
  file: LogFile,
  { progress, logs }: { readonly progress: Progress; readonly logs: LogsShown },
): ProgressForm {
  const look = {
    ...plainLook(alphabetOf(context.flags.ascii ? "ascii" : "unicode")),
    paint: makePaint(false),
  };
  return new LinesForm({
    progress,
    look,
    logs,
    clock: context.clock,
    write: (text) => file.write(text),
  });
}

/** Several forms as one. */
function joinForms(forms: readonly ProgressForm[]): ProgressForm {
  return {
    begin: () => forms.forEach((form) => form.begin()),
    tell: (applied) => forms.forEach((form) => form.tell(applied)),
    foresee: () => forms.forEach((form) => form.foresee()),
    remark: (remark) => forms.forEach((form) => form.remark(remark)),
    stopping: (stopping) => forms.forEach((form) => form.stopping(stopping)),
    finish: (closing) => forms.forEach((form) => form.finish(closing)),
    abandon: () => forms.forEach((form) => form.abandon()),
  };
}
