// Takes endings in order, one at a time: what an ending causes waits until the one before it is through, so that
// a thousand skips in a chain are no deep call, and nothing starts between two of them.

import type { StageRun } from "./stage-run.ts";

/** The line of stages that have ended and whose readers are still to hear of it. */
export class Settling {
  readonly #release: (stageRun: StageRun) => void;
  readonly #done: () => void;
  readonly #line: StageRun[] = [];
  #isUnderWay: boolean = false;

  /** @param release Lets the readers of a stage know. @param done All have been let know. */
  constructor(release: (stageRun: StageRun) => void, done: () => void) {
    this.#release = release;
    this.#done = done;
  }

  /** True while readers are being told: nobody may start anything or judge what is left. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** A stage has ended. */
  add(stageRun: StageRun): void {
    if (this.#isUnderWay) {
      this.#line.push(stageRun);
      return;
    }
    this.#isUnderWay = true;
    this.#release(stageRun);
    this.#finish();
  }

  /** Does something during which stages may end; those come after it. */
  around(work: () => void): void {
    if (this.#isUnderWay) return work();
    this.#isUnderWay = true;
    work();
    this.#finish();
  }

  #finish(): void {
    // Emptying an array gives its memory back: only done where something was put in.
    if (this.#line.length > 0) {
      for (const one of this.#line) this.#release(one);
      this.#line.length = 0;
    }
    this.#isUnderWay = false;
    this.#done();
  }
}
