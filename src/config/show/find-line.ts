// The line on which a configuration says a key: found by reading the record that the file exports, without running it.
// What is computed elsewhere has no line here; then nothing is claimed.

interface Frame {
  /** The key whose value this is; null: not a record of ours. */
  readonly path: string | null;
  readonly isRecord: boolean;
}

const SKIPPED = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const QUOTED = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/y;
const WORD = /[A-Za-z_$][\w$]*/y;

/** Lines of keys, from 1: `worker.lease`. Of a key that stands twice the last one, which is in force. */
export function findLines(source: string): ReadonlyMap<string, number> {
  const scan = new KeyScan(source);
  return scan.read();
}

class KeyScan {
  readonly #source: string;
  readonly #lines: Map<string, number> = new Map();
  readonly #frames: Frame[] = [];
  #at: number = 0;
  #line: number = 1;
  /** A key may stand here. */
  #isKeyPlace: boolean = false;
  #key: string | null = null;

  constructor(source: string) {
    this.#source = source;
  }

  read(): ReadonlyMap<string, number> {
    const start = findRecord(this.#source);
    if (start === undefined) return this.#lines;
    this.#step(this.#source.slice(0, start));
    do this.#token();
    while (this.#at < this.#source.length && this.#frames.length > 0);
    return this.#lines;
  }

  #token(): void {
    const skipped = this.#match(SKIPPED);
    if (skipped !== undefined) return this.#step(skipped);
    const word = this.#match(QUOTED) ?? this.#match(WORD);
    if (word !== undefined) return this.#readWord(word);
    const character = this.#source[this.#at] ?? "";
    this.#step(character);
    if ("{[(".includes(character)) this.#open(character);
    else if ("}])".includes(character)) this.#key = this.#frames.pop()?.path ?? null;
    else if (character === ",") this.#key = null;
    if (character.trim() !== "")
      this.#isKeyPlace = "{,".includes(character) && this.#frames.at(-1)?.isRecord === true;
  }

  #open(character: string): void {
    const parent = this.#frames.at(-1);
    const path = parent === undefined ? "" : this.#key === null ? null : this.#key;
    this.#frames.push({ path, isRecord: character === "{" && path !== null });
    this.#key = null;
  }

  #readWord(word: string): void {
    const frame = this.#frames.at(-1);
    if (this.#isKeyPlace && frame !== undefined && frame.path !== null) {
      const name = /^["'`]/.test(word) ? word.slice(1, -1) : word;
      this.#key = frame.path === "" ? name : `${frame.path}.${name}`;
      this.#lines.set(this.#key, this.#line);
    }
    this.#isKeyPlace = false;
    this.#step(word);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  #step(text: string): void {
    this.#at += text.length;
    for (const character of text) if (character === "\n") this.#line += 1;
  }
}

/** Where the record that is exported begins. */
function findRecord(source: string): number | undefined {
  const found = /\b(?:export default\s+(?:defineConfig\(\s*)?|defineConfig\(\s*)\{/.exec(source);
  return found === null ? undefined : found.index + found[0].length - 1;
}
