// The form for people at a terminal: permanent lines above one block that is redrawn. Keys open panels in the
// block or switch to lines for good. Whatever happens, the terminal is given back as it was found.
//
// Modes: `live`; `lines`, entered by the key `s` and never left; `over`, after `finish` or `abandon`.

import { renderClosing } from "../closing/closing-lines.ts";
import type { Closing } from "../closing/closing.ts";
import { renderBlock } from "../live/block.ts";
import { hasKeyboard, Keyboard, type KeyAction } from "../live/keyboard.ts";
import { Painter, type WindowSize } from "../live/painter.ts";
import type { PanelName } from "../live/panels.ts";
import { PermanentLines } from "../live/permanent-lines.ts";
import { subjectOf, type Applied } from "../progress/progress.ts";
import type { InStream } from "../../cli-context.ts";
import { LinesForm } from "./lines-form.ts";
import type { FormOptions, ProgressForm, Remark, Stopping } from "./progress-form.ts";

/** What the live form needs besides. */
export interface LiveOptions extends FormOptions {
  readonly stdin: InStream;
  readonly size: () => WindowSize;
  /** True if the terminal wraps lines that a narrower window no longer holds; false: it cuts them. */
  readonly isReflowing: boolean;
  /** Calls back when the window changes its size, until the returned function is called. */
  readonly onResize: (listener: () => void) => () => void;
  /** Sends a signal to this process. */
  readonly raise: (signal: "SIGINT" | "SIGTSTP" | "SIGQUIT") => void;
  /** Calls back when the process goes on after it was suspended, until the returned function is called. */
  readonly onContinue: (listener: () => void) => () => void;
}

/** Draws a run. */
export class LiveForm implements ProgressForm {
  readonly #options: LiveOptions;
  readonly #painter: Painter;
  readonly #keyboard: Keyboard;
  readonly #permanent: PermanentLines;
  readonly #hasKeys: boolean;
  #panel: PanelName | undefined;
  #stopping: Stopping | undefined;
  #lines: LinesForm | undefined;
  #release: (() => void) | undefined;

  constructor(options: LiveOptions) {
    const { progress, look, clock, write, stdin } = options;
    this.#options = options;
    this.#hasKeys = hasKeyboard(stdin);
    this.#permanent = new PermanentLines(look, progress.stages.keys());
    this.#painter = new Painter({
      write,
      clock,
      size: options.size,
      isReflowing: options.isReflowing,
      block: (columnsMax, rowsMax) => renderBlock(this.#view(), { columnsMax, rowsMax }),
      takePermanent: (columnsMax) => this.#permanent.take(columnsMax),
    });
    this.#keyboard = new Keyboard({
      stdin,
      onAction: (action) => this.#act(action),
      onSignal: (signal) => {
        if (signal !== "SIGINT") this.#suspend();
        options.raise(signal);
      },
    });
  }

  begin(): void {
    const { progress, look } = this.#options;
    const { pipeline, store } = progress.plan;
    const { paint } = look;
    const head = `${paint.tone("faint", "millrace")}  ${paint.tone("strong", pipeline)}  ${subjectOf(progress.plan)}  ${paint.tone("faint", store)}`;
    this.#permanent.addText(head);
    this.#open();
  }

  tell(applied: Applied): void {
    if (this.#lines !== undefined) {
      this.#lines.tell(applied);
      return;
    }
    this.#gather(applied);
    this.#painter.invalidate();
  }

  foresee(): void {
    if (this.#lines !== undefined) this.#lines.foresee();
    else this.#painter.invalidate();
  }

  remark(remark: Remark): void {
    if (this.#lines !== undefined) {
      this.#lines.remark(remark);
      return;
    }
    const { paint } = this.#options.look;
    this.#print(remark.level === "info" ? remark.text : paint.tone("warning", remark.text));
  }

  /** A line that somebody else wrote and that belongs above the block. */
  print(line: string): void {
    if (this.#lines !== undefined) this.#options.write(`${line}\n`);
    else this.#print(line);
  }

  stopping(stopping: Stopping): void {
    if (this.#lines !== undefined) {
      this.#lines.stopping(stopping);
      return;
    }
    const isFirst = this.#stopping === undefined;
    this.#stopping = stopping;
    if (isFirst && stopping.resume !== undefined) {
      const text = `stopping after ${stopping.cause}; go on later with: ${stopping.resume}`;
      this.#permanent.addText(this.#options.look.paint.tone("warning", text));
    }
    this.#painter.invalidate();
  }

  finish(closing: Closing): void {
    if (this.#lines !== undefined) {
      this.#lines.finish(closing);
      return;
    }
    this.#close();
    const { look, write } = this.#options;
    write(`\n${renderClosing(closing, look).join("\n")}\n`);
  }

  abandon(): void {
    this.#lines?.abandon();
    this.#keyboard.stop();
    this.#painter.abandon();
    this.#release?.();
    this.#release = undefined;
  }

  #view(): Parameters<typeof renderBlock>[0] {
    const { progress, look, clock } = this.#options;
    return {
      progress,
      look,
      nowMs: clock.wallMs(),
      panel: this.#panel,
      hasKeys: this.#hasKeys,
      abortAtMs: this.#stopping?.abortAtMs,
    };
  }

  #open(): void {
    this.#keyboard.start();
    this.#painter.start();
    const { onResize, onContinue } = this.#options;
    const stopResize = onResize(() => this.#painter.invalidate());
    const stopContinue = onContinue(() => {
      // Only after a suspension; else both are open and ignore it.
      this.#keyboard.start();
      this.#painter.start();
    });
    this.#release = () => {
      stopResize();
      stopContinue();
    };
  }

  #close(): void {
    this.#keyboard.stop();
    this.#painter.stop();
    this.#release?.();
    this.#release = undefined;
  }

  /** Gives the terminal to the shell; `#open` set up what takes it back. */
  #suspend(): void {
    this.#keyboard.stop();
    this.#painter.stop();
  }

  #gather({ event, stage, newFailure, tail, logLine }: Applied): void {
    const { logs } = this.#options;
    if (logLine !== undefined && logs === "all") this.#permanent.addLog(logLine);
    if (stage === undefined) return;
    const isEnd = event.item === undefined && stage.endedAtMs !== undefined;
    if (newFailure !== undefined) {
      this.#permanent.addFailure(newFailure, stage.attemptsMax);
      if (logs === "failed") for (const line of tail) this.#permanent.addLog(line);
      // A stage without items has said with its failure that it ended.
      if (event.item === undefined) return;
    }
    if (isEnd && isEnding(event.type)) this.#permanent.addStage(stage);
  }

  #print(line: string): void {
    if (!this.#painter.isDrawing) {
      this.#options.write(`${line}\n`);
      return;
    }
    this.#permanent.addText(line);
    this.#painter.invalidate();
  }

  #act(action: KeyAction): void {
    if (action === "lines") {
      this.#switchToLines();
      return;
    }
    this.#panel = action === "back" || action === this.#panel ? undefined : action;
    this.#painter.invalidate();
  }

  #switchToLines(): void {
    this.#close();
    this.#lines = new LinesForm(this.#options);
    this.#lines.goOn();
  }
}

function isEnding(type: string): boolean {
  return /^stage\.(?:succeeded|failed|skipped|cancelled|upstream_failed)$/.test(type);
}
