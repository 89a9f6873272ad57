// What many poll, and what one polls often, is read once while the store is not written: its text is given again, or
// its tag alone, for a second at most. A store in the memory of this process is asked each time: it costs little, and
// not everything that changes in it can be seen from outside.

import { KEPT_TEXT_CHARS_MAX } from "../../model/limits.ts";
import { KeptAnswers, type KeptStore } from "../../service/queries/kept-answer.ts";
import { holdsSecret } from "../../std/redact.ts";
import type { TaggedText } from "./finish-answer.ts";

/** What texts are read from. */
export interface TextStore extends KeptStore {
  readonly capabilities: { readonly durable: boolean };
}

/** Texts of answers, by address. */
export class KeptTexts {
  readonly #store: TextStore;
  readonly #kept: KeptAnswers<TaggedText> = new KeptAnswers();

  constructor(store: TextStore) {
    this.#store = store;
  }

  /** The text for this address; made anew where none holds. */
  async get(address: string, make: () => Promise<TaggedText>): Promise<TaggedText> {
    if (!this.#store.capabilities.durable) return await make();
    const found = await this.#kept.get(this.#store, address, make);
    // A secret may have become known since.
    const isGood = found.text.length <= KEPT_TEXT_CHARS_MAX && !holdsSecret(found.text);
    if (isGood) return found;
    this.#kept.drop(this.#store, address);
    return holdsSecret(found.text) ? await make() : found;
  }
}
