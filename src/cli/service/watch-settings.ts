// The configuration of a process that lives long, read again when its file changes: what can change while it runs is
// taken over, all or nothing; what needs a restart is named; a file that is edited to nonsense changes nothing, and that
// is said until it is mended.

import { showPath } from "../../config/import-module.ts";
import type { Settings } from "../../config/resolve.ts";
import { SETTING_KEYS, type SettingName } from "../../config/setting-keys.ts";
import { describeFault, toConfigFaults, type ConfigFault } from "../../config/show/config-fault.ts";
import {
  fromPlain,
  listChanged,
  toPlainSettings,
  type PlainSettings,
} from "../../config/show/plain-settings.ts";
import { FileWatch } from "../../config/watch-file.ts";
import { checkNotifySettings, type NotifySettings } from "../../model/compile/notify-settings.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { checkScheduleSettings } from "../../model/schedule/parse-schedule.ts";
import { checkResourceSettings } from "../../model/compile/resource-settings.ts";
import { contextOf } from "../../service/mill-context.ts";
import type { Millrace } from "../../service/millrace.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import type { LiveNotices } from "../../service/listeners/notices/live-notices.ts";
import { applySettings, type LiveSettings } from "../../service/settings/apply-settings.ts";
import { refuseSettings } from "../../service/settings/refuse-settings.ts";
import type { RunningWatchdog } from "../../service/watchdog/start-watchdog.ts";
import { escapeControl } from "../../std/text.ts";
import type { CliContext } from "../cli-context.ts";
import { printRemark } from "../print.ts";
import { readAgain, type ReadAgain } from "./read-again.ts";

/** What is taken over while a process runs. */
const LIVE: readonly SettingName[] = [
  "schedules",
  "resources",
  "notify",
  "probeMs",
  "watchMs",
  "silentRunMs",
];

/** What asks the file itself each time, or another process. Nothing is to be done here. */
const READ_ELSEWHERE: readonly SettingName[] = ["keepRunsMs", "keepEventsMs", "keepFailedMs"];

/** Faults that are printed. */
const FAULTS_SHOWN_MAX = 10;

/** What is watched, and who is told. */
export interface SettingsWatchParts {
  readonly mill: Millrace;
  readonly settings: Settings;
  /** All that the file listed when it was read. */
  readonly pipelines: readonly Pipeline[];
  readonly watchdog: Pick<RunningWatchdog, "setPeriods">;
  /** Makes notices here; undefined: others do. */
  readonly notices?: Pick<LiveNotices, "renew">;
  /** True: this process fires schedules. */
  readonly seeds: boolean;
  /** The file was read after this time, UTC ms. */
  readonly readAtMs: number;
}

/** A watch under way. */
export interface RunningSettingsWatch {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Watches the file of the settings; nothing where there is none. */
export function watchSettings(
  context: CliContext,
  parts: SettingsWatchParts,
): RunningSettingsWatch {
  const { file } = parts.settings;
  if (file === null) return { stop: async () => {} };
  const reader = new SettingsReader(context, parts, file);
  const watch = new FileWatch({
    path: file,
    clock: context.clock,
    readAtMs: parts.readAtMs,
    changed: () => reader.read(),
  });
  const started = watch.start();
  return {
    stop: async () => {
      reader.isOver = true;
      await watch.stop();
      await started;
    },
  };
}

class SettingsReader {
  isOver: boolean = false;
  readonly #context: CliContext;
  readonly #parts: SettingsWatchParts;
  readonly #path: string;
  /** As the file is shown. */
  readonly #source: string;
  /** What this process was started with. */
  readonly #started: PlainSettings;
  #inForce: PlainSettings;
  /** What was told last; null: the file is good. */
  #refused: string | null = null;

  constructor(context: CliContext, parts: SettingsWatchParts, path: string) {
    this.#context = context;
    this.#parts = parts;
    this.#path = path;
    this.#source = showPath(context.cwd, path);
    this.#started = toPlainSettings(parts.settings);
    this.#inForce = this.#started;
  }

  /** Reads and decides. Rejects where the store does not answer: then it is repeated. */
  async read(): Promise<void> {
    const found = await readAgain(this.#context, { path: this.#path, source: this.#source });
    if (this.isOver) return;
    const { settings, faults } = found;
    if (settings === undefined || faults.length > 0) return this.#refuse(faults);
    const live = this.#toLive(settings);
    if ("faults" in live) return this.#refuse(live.faults);
    await this.#apply(live.live, settings, found);
  }

  async #apply(live: LiveSettings, settings: PlainSettings, found: ReadAgain): Promise<void> {
    const { mill, watchdog, notices, seeds } = this.#parts;
    const changed = listChanged(this.#inForce, settings).filter(
      (name) => LIVE.includes(name) && settings[name] !== undefined,
    );
    const restart = this.#listRestart(settings, found);
    if (changed.length === 0 && restart.length === 0 && this.#refused === null) return;
    const keys = changed.map((name) => SETTING_KEYS[name]);
    const source = this.#source;
    try {
      const options = { source, changed: keys, restart, watchdog, notices, seeds };
      const notify = changed.includes("notify") ? live.notify : undefined;
      await applySettings(contextOf(mill), { ...live, notify }, options);
    } catch (error) {
      const faults = toConfigFaults(source, error);
      if (isOfFile(error)) return this.#refuse(faults);
      this.#say(`${source} was changed, and could not be taken over yet: ${faults[0]?.message}`);
      throw error;
    }
    this.#refused = null;
    this.#inForce = settings;
    const what = keys.length === 0 ? "nothing else is changed" : `${keys.join(", ")} in force`;
    const later = restart.length === 0 ? "" : `; after a restart: ${restart.join(", ")}`;
    this.#say(`${source} was changed: ${what}${later}`);
  }

  async #refuse(faults: readonly ConfigFault[]): Promise<void> {
    const text = faults.map(describeFault).join("\n");
    if (text !== this.#refused) {
      await refuseSettings(contextOf(this.#parts.mill), this.#source, faults);
      this.#say(`${this.#source} was changed and is not valid; what was in force stays so`);
      for (const fault of faults.slice(0, FAULTS_SHOWN_MAX)) this.#say(`  ${describeFault(fault)}`);
    }
    this.#refused = text;
  }

  /** Keys that differ from what this process was started with, and that it cannot take over. */
  #listRestart(settings: PlainSettings, found: ReadAgain): readonly string[] {
    const fixed = listChanged(this.#started, settings).filter(
      (name) => !LIVE.includes(name) && !READ_ELSEWHERE.includes(name),
    );
    const known = new Map(this.#parts.pipelines.map(({ name, hash }) => [name, hash]));
    const names = new Set([...known.keys(), ...Object.keys(found.pipelines)]);
    const isOther = [...names].some((name) => known.get(name) !== found.pipelines[name]);
    const code = LIVE.filter(
      (name) => settings[name] === undefined && this.#started[name] !== undefined,
    );
    return [
      ...fixed.map((name) => SETTING_KEYS[name]),
      ...(isOther ? ["pipelines"] : []),
      ...code.map((name) => SETTING_KEYS[name]),
    ];
  }

  #toLive(plain: PlainSettings): { live: LiveSettings } | { faults: readonly ConfigFault[] } {
    const { settings } = this.#parts;
    const found: DefinitionFault[] = [];
    const { probeMs, watchMs, silentRunMs } = plain;
    const [schedules, resources, notify] = [plain.schedules, plain.resources, plain.notify].map(
      (value) => (value === undefined ? undefined : fromPlain(value)),
    );
    // What holds code does not cross from one process to another: it stays as it was.
    const live = {
      schedules:
        schedules !== undefined && checkScheduleSettings(schedules, found)
          ? schedules
          : settings.schedules.value,
      resources:
        resources !== undefined && checkResourceSettings(resources, found)
          ? resources
          : settings.resources.value,
      notify: notify === null || isNotify(notify, found) ? notify : undefined,
      probeMs: toNumber(probeMs, settings.probeMs.value),
      watchMs: toNumber(watchMs, settings.watchMs.value),
      silentRunMs: toNumber(silentRunMs, settings.silentRunMs.value),
    };
    if (found.length === 0) return { live };
    return { faults: found.map((fault) => ({ ...NO_FAULT, ...fault, key: fault.path })) };
  }

  #say(text: string): void {
    printRemark(this.#context, escapeControl(text));
  }
}

const NO_FAULT = { source: "", value: null, expected: null, hint: null };

/** What was not written holds no fault. */
function isNotify(value: unknown, found: DefinitionFault[]): value is NotifySettings {
  return value !== undefined && checkNotifySettings(value, found);
}

function toNumber(value: unknown, other: number): number {
  return typeof value === "number" ? value : other;
}

const FILE_CODES: ReadonlySet<string> = new Set([
  "DEFINITION_INVALID",
  "SCHEDULE_INVALID",
  "RESOURCE_CONFLICT",
  "RESOURCE_UNKNOWN",
]);

/** True where what the file says is at fault, and not the store. */
function isOfFile(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    FILE_CODES.has(error.code)
  );
}
