import { expect, test } from "vitest";
import { KEPT_ANSWER_MS_MAX, KEPT_ANSWERS_MAX } from "../../model/limits.ts";
import { KeptAnswers } from "./kept-answer.ts";

/** A store of which only the mark and the clock are asked, and a question that counts how often it was read. */
function setup(): {
  readonly store: { mark: number; ms: number; changeMark(): Promise<number>; nowMs(): number };
  readonly ask: (key?: string) => Promise<number>;
} {
  const store = {
    mark: 1,
    ms: 0,
    changeMark: (): Promise<number> => Promise.resolve(store.mark),
    nowMs: (): number => store.ms,
  };
  const kept = new KeptAnswers<number>();
  let reads = 0;
  return { store, ask: (key = "") => kept.get(store, key, () => Promise.resolve(++reads)) };
}

test("an answer is read once while nothing was written, also by those who ask at once", async () => {
  const { ask } = setup();
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  expect(await ask()).toBe(1);
});

test("it is read anew once the store may have changed, or a second has passed", async () => {
  const { store, ask } = setup();
  await ask();
  store.mark = 2;
  expect(await ask()).toBe(2);
  store.ms = KEPT_ANSWER_MS_MAX - 1;
  expect(await ask()).toBe(2);
  store.ms = KEPT_ANSWER_MS_MAX;
  expect(await ask()).toBe(3);
});

test("each thing that is asked for has its own, and the oldest makes room", async () => {
  const { ask } = setup();
  expect(await ask("a")).toBe(1);
  for (let index = 0; index < KEPT_ANSWERS_MAX; index += 1) await ask(`${index}`);
  expect(await ask(`${KEPT_ANSWERS_MAX - 1}`)).toBe(KEPT_ANSWERS_MAX + 1);
  expect(await ask("a")).toBe(KEPT_ANSWERS_MAX + 2);
});

test("an answer that fails is asked for again", async () => {
  const { store } = setup();
  const kept = new KeptAnswers<string>();
  await expect(kept.get(store, "", () => Promise.reject(new Error("busy")))).rejects.toThrow(
    "busy",
  );
  expect(await kept.get(store, "", () => Promise.resolve("well"))).toBe("well");
});
