// Keeps known secrets out of text. Whoever makes a secret notes it here; every door through which text of user code
// leaves asks `redact` before it cuts or stores. A secret is known by its value, in the spellings it travels in:
// as it is, line by line, in JSON, in an address, and in base64 at any offset. State of the module, since a secret
// must be kept out of a text whoever made either; while nothing is noted a door costs one comparison.

/** Secrets remembered in one process; of more the oldest are forgotten, as who rotates tokens for months wants it. */
const SECRETS_MAX = 500;

/** Shortest spelling that is looked for: shorter ones would stand in ordinary words. */
const SPELLING_CHARS_MIN = 6;

/** By spelling, what is shown in its place. */
interface Known {
  readonly marks: ReadonlyMap<string, string>;
  readonly pattern: RegExp;
}

/** By value, oldest first. */
const noted = new Map<string, { readonly mark: string; readonly spellings: readonly string[] }>();

/** Null: nothing was noted, or not since it was last built. */
let known: Known | null = null;

/** Remembers a secret for as long as the process lives. The name is shown, so it must be harmless text. */
export function noteSecret(name: string, value: string): void {
  noted.delete(value);
  noted.set(value, { mark: secretMark(name), spellings: listSpellings(value) });
  for (const oldest of noted.keys()) {
    if (noted.size <= SECRETS_MAX) break;
    noted.delete(oldest);
  }
  known = null;
}

/** What stands in place of a secret. */
export function secretMark(name: string): string {
  return `[secret ${name}]`;
}

/** Whether a text holds a known secret: asked once of a whole document before it is walked. */
export function holdsSecret(text: string): boolean {
  return noted.size > 0 && text.search(getKnown().pattern) !== -1;
}

/** The text with every known secret replaced by `[secret name]`. */
export function redact(text: string): string {
  if (noted.size === 0) return text;
  const { marks, pattern } = getKnown();
  return text.replace(pattern, (spelling) => marks.get(spelling) ?? secretMark("unknown"));
}

/** The same for the first part of a longer text: a secret that the cut went through loses what is left of it. */
export function redactCut(text: string): string {
  if (noted.size === 0) return text;
  const whole = redact(text);
  let cutAt = whole.length;
  for (const spelling of getKnown().marks.keys()) {
    const from = Math.max(0, whole.length - spelling.length + 1);
    for (let at = from; at < cutAt; at++) {
      if (spelling.startsWith(whole.slice(at))) cutAt = at;
    }
  }
  return whole.slice(0, cutAt);
}

/** Deepest nesting that is walked. What is deeper is dropped: it cannot be vouched for. */
const DEPTH_MAX = 64;

/** A copy of plain data with every text and key redacted; the value itself while no secret is known. */
export function redactValue<T>(value: T): T {
  // Texts become texts and lists lists, so its type is as it was; no walk over unknown data can show that.
  return noted.size === 0 ? value : (walk(value, 0) as T);
}

function walk(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.map((one) => walk(one, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // A Date, or anything else that says itself how it is shown.
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [redact(key), walk(inner, depth + 1)]),
  );
}

function getKnown(): Known {
  known ??= makeKnown();
  return known;
}

function makeKnown(): Known {
  const marks = new Map<string, string>();
  for (const { mark, spellings } of noted.values()) {
    for (const spelling of spellings) marks.set(spelling, mark);
  }
  // The longest first: of two that begin alike the whole one has to go.
  const longestFirst = [...marks.keys()].toSorted((one, other) => other.length - one.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join("|"), "g");
  return { marks, pattern };
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function listSpellings(value: string): readonly string[] {
  const lines = value.includes("\n") ? value.split(/\r?\n/) : [];
  const plain = [value, ...lines].flatMap((text) => [text, inJson(text), inJson(inJson(text))]);
  const spellings = [...plain, ...inAddresses(value), ...inBase64(value)];
  return [...new Set(spellings)].filter((spelling) => spelling.length >= SPELLING_CHARS_MIN);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inAddresses(value: string): readonly string[] {
  // Half a surrogate pair has no place in an address.
  const text = value.toWellFormed();
  const component = encodeURIComponent(text);
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  const loose = encodeURI(text);
  return [component, form, loose, form.replaceAll("+", "%20")].flatMap((spelling) => [
    spelling,
    spelling.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  ]);
}

/** In base64 a text looks in three ways, by how many bytes stand before it; of each what it alone decides. */
function inBase64(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  return [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor((padded.length * 8) / 6);
    const standard = padded.toString("base64");
    const cores = [standard.slice(from, to), padded.toString("base64url").slice(from, to)];
    return offset === 0 ? [standard, padded.toString("base64url"), ...cores] : cores;
  });
}
