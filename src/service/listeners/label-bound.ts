// Keeps the values of a label few: the first so many get a series of their own, all others share one. Whoever names
// pipelines or stages from data can then fill neither our memory nor that of who scrapes us.

/** Stands for everything beyond the bound. */
export const OTHER_LABEL = "other";

/** Characters of a label's value. */
const LABEL_CHARS_MAX = 120;

/** Values of one label. */
export class LabelBound {
  readonly #known: Set<string> = new Set();
  readonly #valuesMax: number;

  /** @param valuesMax Values of their own, at least 1. */
  constructor(valuesMax: number) {
    this.#valuesMax = valuesMax;
  }

  /** The value itself, or `other` where there are too many. A value that was taken once stays. */
  take(value: string): string {
    const text = value.slice(0, LABEL_CHARS_MAX);
    if (this.#known.has(text)) return text;
    if (this.#known.size >= this.#valuesMax) return OTHER_LABEL;
    this.#known.add(text);
    return text;
  }
}
