// What is asked again and again, by screens that poll and by probes, is read once while nothing has changed. An answer
// is kept until the store may have been written, by whomever, and for a second at most, since rates and ages move by
// themselves; who asks while it is being read gets the same one.

import { KEPT_ANSWER_MS_MAX, KEPT_ANSWERS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";

/** What tells whether an answer still holds. */
export type KeptStore = Pick<Store, "changeMark" | "nowMs">;

interface Kept<T> {
  readonly mark: number;
  readonly atMs: number;
  readonly answer: Promise<T>;
}

/** Answers to one question, by store and by what was asked for. Nobody may change one: it is shared. */
export class KeptAnswers<T> {
  readonly #byStore = new WeakMap<KeptStore, Map<string, Kept<T>>>();

  /** The answer for `key`; read anew where none holds. One that fails is not kept. */
  async get(store: KeptStore, key: string, read: () => Promise<T>): Promise<T> {
    const kept = this.#byStore.get(store) ?? new Map<string, Kept<T>>();
    this.#byStore.set(store, kept);
    // Taken before it is read: what is written meanwhile makes it too old, never too new.
    const mark = await store.changeMark();
    const atMs = store.nowMs();
    const before = kept.get(key);
    if (before !== undefined && before.mark === mark && atMs - before.atMs < KEPT_ANSWER_MS_MAX) {
      return await before.answer;
    }
    const [oldest] = kept.keys();
    kept.delete(key);
    if (kept.size >= KEPT_ANSWERS_MAX && oldest !== undefined) kept.delete(oldest);
    const mine = { mark, atMs, answer: read() };
    kept.set(key, mine);
    try {
      return await mine.answer;
    } catch (error) {
      if (kept.get(key) === mine) kept.delete(key);
      throw error;
    }
  }

  /** Forgets the answer for `key`. */
  drop(store: KeptStore, key: string): void {
    this.#byStore.get(store)?.delete(key);
  }
}
