// The lines that the live form prints once, above its block: stages that ended, new kinds of failure with the
// lines that led to them, logs, remarks. Gathered between two redraws, so that what came together is said
// together: equal failures with their number, many skipped stages in one line.

import type { StageState } from "../../../model/outcome.ts";
import { showCount, showCountOf, showDuration } from "../../../std/shown/figures.ts";
import type { Look } from "../look.ts";
import { markOf } from "../marks.ts";
import { stateWord, countStates } from "../../../model/drawing/state-words.ts";
import { addressOf, attemptOf } from "../phrases.ts";
import { oneLine } from "../../../std/text.ts";
import type { FailureGroup } from "../progress/failure-groups.ts";
import type { LogLine } from "../progress/log-tails.ts";
import type { StageProgress } from "../progress/stage-progress.ts";
import { fitMiddle, padLeft, padRight, textWidth, wrapText } from "../width.ts";

const NAME_COLUMNS_MIN = 12;
const NAME_COLUMNS_MAX = 32;
const DURATION_COLUMNS = 9;
/** Stages that ended alike without having run: so many get a line each, more get one together. */
const ALIKE_MAX = 3;
/** Log lines held between two redraws; of more only the number is said. */
const LOG_LINES_MAX = 200;
/** Kinds of failure that are written out; further ones are in the panel and in the closing block. */
const KINDS_MAX = 20;

type Entry =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "stage"; readonly stage: StageProgress }
  | { readonly kind: "failure"; readonly group: FailureGroup; readonly attemptsMax: number }
  | { readonly kind: "log"; readonly line: LogLine };

/** Lines that wait for the next redraw. */
export class PermanentLines {
  readonly #look: Look;
  readonly #nameColumns: number;
  #entries: Entry[] = [];
  #logLines = 0;
  #lostLines = 0;
  #kinds = 0;

  /** `names`: of all stages, to stand below each other. */
  constructor(look: Look, names: Iterable<string>) {
    this.#look = look;
    const widest = [...names].reduce((width, name) => Math.max(width, textWidth(name)), 0);
    this.#nameColumns = Math.min(NAME_COLUMNS_MAX, Math.max(NAME_COLUMNS_MIN, widest));
  }

  /** A line as it is. */
  addText(text: string): void {
    this.#entries.push({ kind: "text", text });
  }

  /** A stage that has ended. */
  addStage(stage: StageProgress): void {
    this.#entries.push({ kind: "stage", stage });
  }

  /** A failure of a new kind. */
  addFailure(group: FailureGroup, attemptsMax: number): void {
    this.#kinds += 1;
    if (this.#kinds <= KINDS_MAX) this.#entries.push({ kind: "failure", group, attemptsMax });
    if (this.#kinds === KINDS_MAX) this.addText("  further kinds of failure are only counted");
  }

  /** A line of a log. */
  addLog(line: LogLine): void {
    if (this.#logLines >= LOG_LINES_MAX) {
      this.#lostLines += 1;
      return;
    }
    this.#logLines += 1;
    this.#entries.push({ kind: "log", line });
  }

  /** Everything gathered, as lines, and begins anew. */
  take(columnsMax: number): readonly string[] {
    const entries = this.#entries;
    const lost = this.#lostLines;
    if (entries.length === 0) return [];
    this.#entries = [];
    this.#logLines = 0;
    this.#lostLines = 0;
    const lines = joinAlike(entries).flatMap((entry) => this.#render(entry, columnsMax));
    return lost === 0 ? lines : [...lines, `  ${showCountOf(lost, "line")} of logs left out`];
  }

  #render(entry: Entry | AlikeStages, columnsMax: number): readonly string[] {
    switch (entry.kind) {
      case "text":
        return [entry.text];
      case "stage":
        return [this.#renderStage(entry.stage, columnsMax)];
      case "alike":
        return [this.#renderAlike(entry, columnsMax)];
      case "failure":
        return this.#renderFailure(entry.group, entry.attemptsMax, columnsMax);
      case "log":
        return [this.#renderLog(entry.line, columnsMax)];
    }
  }

  #renderStage(stage: StageProgress, columnsMax: number): string {
    const { state, durationMs, reason, via } = stage;
    const { paint, alphabet } = this.#look;
    const mark = markOf(state);
    const name = fitMiddle(
      stage.name,
      Math.min(this.#nameColumns, columnsMax - 14),
      alphabet.ellipsis,
    );
    const head = `${paint.mark(mark, alphabet.marks[mark])} ${padRight(name, this.#nameColumns)}`;
    if (state !== "succeeded" && state !== "failed") {
      const why =
        reason === undefined || reason === "" ? "" : ` ${alphabet.dot} ${oneLine(reason)}`;
      return `${head}  ${stateWord(state)}${why}`;
    }
    const took = padLeft(showDuration(durationMs ?? 0), DURATION_COLUMNS);
    const facts = [
      ...describeItems(stage),
      ...(via === "cache" ? ["cached"] : []),
      ...(via === "checkpoint" ? ["kept"] : []),
      ...(state === "succeeded" && stage.attempts > 1 && stage.items === undefined
        ? [`${alphabet.times}${stage.attempts}`]
        : []),
    ];
    return `${head} ${took}${facts.length === 0 ? "" : `   ${facts.join(` ${alphabet.dot} `)}`}`;
  }

  #renderAlike({ state, reason, names }: AlikeStages, columnsMax: number): string {
    const { paint, alphabet } = this.#look;
    const mark = markOf(state);
    const why = reason === undefined || reason === "" ? "" : ` ${alphabet.dot} ${oneLine(reason)}`;
    const text = `${showCount(names.length)} stages ${stateWord(state)}${why}`;
    const first = names.slice(0, ALIKE_MAX).join(", ");
    const line = `${text} ${alphabet.dot} ${first} ${alphabet.ellipsis}`;
    return `${paint.mark(mark, alphabet.marks[mark])} ${fitMiddle(line, columnsMax - 2, alphabet.ellipsis)}`;
  }

  #renderFailure(group: FailureGroup, attemptsMax: number, columnsMax: number): readonly string[] {
    const { paint, alphabet } = this.#look;
    const sign = paint.mark("failed", alphabet.marks.failed);
    const columns = Math.max(20, columnsMax - 2);
    const subject = fitMiddle(addressOf(group.stage, group.firstItem), columns, alphabet.ellipsis);
    const facts = [oneLine(group.message), attemptOf(group.attempts, attemptsMax)]
      .filter((fact) => fact !== undefined)
      .join(", ");
    const more = group.count > 1 ? `   (+${showCount(group.count - 1)} like this)` : "";
    const line = `${padRight(subject, this.#nameColumns)}  ${facts}${more}`;
    if (textWidth(line) <= columns) return [`${sign} ${line}`];
    // An error is never cut: whoever waits for the run reads it here first.
    return [
      `${sign} ${subject}`,
      ...wrapText(`${facts}${more}`, columns).map((text) => `  ${text}`),
    ];
  }

  #renderLog({ stage, item, level, text }: LogLine, columnsMax: number): string {
    const { paint, alphabet } = this.#look;
    const name = fitMiddle(
      addressOf(stage, item),
      Math.max(12, columnsMax >> 1),
      alphabet.ellipsis,
    );
    const head = paint.tone("faint", `${name} ${alphabet.pipe}`);
    const word =
      level === "warn" || level === "error"
        ? `${paint.tone(level === "warn" ? "warning" : "error", level)} `
        : "";
    return `  ${head} ${word}${oneLine(text)}`;
  }
}

/** `10,000 items`, or with what became of them where not all went well. */
function describeItems({ items, cached, kept, retried }: StageProgress): string[] {
  if (items === undefined) return [];
  const notes = [
    ...(kept > 0 ? [`${showCount(kept)} kept`] : []),
    ...(cached > 0 ? [`${showCount(cached)} cached`] : []),
    ...(retried > 0 ? [`${showCount(retried)} after a retry`] : []),
  ];
  const total = showCountOf(items.total, "item");
  const counts = items.succeeded === items.total ? total : `${total}: ${countStates(items)}`;
  return [notes.length === 0 ? counts : `${counts} (${notes.join(", ")})`];
}

/** Stages that ended alike without having run. */
interface AlikeStages {
  readonly kind: "alike";
  readonly state: StageState;
  readonly reason: string | undefined;
  readonly names: readonly string[];
}

/** Puts many stages that ended alike into one entry, at the place of the first. */
function joinAlike(entries: readonly Entry[]): readonly (Entry | AlikeStages)[] {
  const groups = Map.groupBy(entries, alikeKey);
  return entries.flatMap<Entry | AlikeStages>((entry) => {
    const group = groups.get(alikeKey(entry)) ?? [];
    if (entry.kind !== "stage" || alikeKey(entry) === "" || group.length <= ALIKE_MAX)
      return [entry];
    if (group[0] !== entry) return [];
    const names = group.flatMap((each) => (each.kind === "stage" ? [each.stage.name] : []));
    return [{ kind: "alike", state: entry.stage.state, reason: entry.stage.reason, names }];
  });
}

/** What stages must share to be alike; empty: the entry stands for itself. */
function alikeKey(entry: Entry): string {
  if (entry.kind !== "stage") return "";
  const { state, reason } = entry.stage;
  return state === "succeeded" || state === "failed" ? "" : `${state}\0${reason ?? ""}`;
}
