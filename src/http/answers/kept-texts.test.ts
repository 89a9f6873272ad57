import { expect, test } from "vitest";
import { KEPT_ANSWER_MS_MAX, KEPT_TEXT_CHARS_MAX } from "../../model/limits.ts";
import { noteSecret } from "../../std/redact.ts";
import type { TaggedText } from "./finish-answer.ts";
import { KeptTexts, type TextStore } from "./kept-texts.ts";

/** A store of which only mark and clock are asked, and a text that counts how often it was made. */
function setup({ durable = true, text = "" }: { durable?: boolean; text?: string } = {}): {
  readonly store: { mark: number; ms: number };
  readonly ask: (address?: string) => Promise<string>;
} {
  const state = { mark: 1, ms: 0 };
  const store: TextStore = {
    capabilities: { durable },
    changeMark: () => Promise.resolve(state.mark),
    nowMs: () => state.ms,
  };
  const kept = new KeptTexts(store);
  let made = 0;
  const make = (): Promise<TaggedText> =>
    Promise.resolve({ text: `${++made} ${text}`, status: 200, headers: {}, tag: undefined });
  const ask = async (address = "/"): Promise<string> =>
    (await kept.get(address, make)).text.slice(0, 40);
  return { store: state, ask };
}

test("a text is made once by address while the store is not written", async () => {
  const { store, ask } = setup();
  expect(await Promise.all([ask(), ask(), ask("/b")])).toEqual(["1 ", "1 ", "2 "]);
  store.ms = KEPT_ANSWER_MS_MAX - 1;
  expect(await ask()).toBe("1 ");
  store.mark = 2;
  expect(await ask()).toBe("3 ");
});

test("a long text, and one of a store in memory, is made each time", async () => {
  const long = setup({ text: "x".repeat(KEPT_TEXT_CHARS_MAX) });
  expect((await long.ask()).startsWith("1 ")).toBe(true);
  expect((await long.ask()).startsWith("2 ")).toBe(true);
  const { ask } = setup({ durable: false });
  expect([await ask(), await ask()]).toEqual(["1 ", "2 "]);
});

test("a text that holds what has become a secret since is made anew", async () => {
  const { ask } = setup({ text: "kept-texts-word-1" });
  expect(await ask()).toBe("1 kept-texts-word-1");
  noteSecret("word", "kept-texts-word-1");
  expect(await ask()).toBe("2 kept-texts-word-1");
});
