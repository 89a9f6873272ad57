// Reads TypeScript as text, because TypeScript 7 offers tools no programming interface yet.
// It tells code from comments, strings and patterns, and finds what a file imports. Lengths and line
// breaks never change, so a position in a blanked text is a position in the file.
// It knows the language well enough for formatted sources, not for every legal program.

/** A file as texts of equal length. */
export interface SourceText {
  readonly text: string;
  /** Comments are blanks; strings are kept. */
  readonly code: string;
  /** Comments and the inside of strings and patterns are blanks; quotes and `${}` code are kept. */
  readonly bare: string;
  /** Only the comments are left. */
  readonly comments: string;
}

/** One mention of another module. */
export interface ImportMention {
  /** As written: "./run.ts", "node:fs", "zod". */
  readonly specifier: string;
  readonly line: number;
  /** A worker file named by `new URL(...)` is started, not imported, and makes no ring. */
  readonly kind: "value" | "type" | "dynamic" | "worker";
}

/** A stretch that is not code; quotes belong to the code around it. */
interface Span {
  readonly kind: "comment" | "string";
  readonly start: number;
  readonly end: number;
}

const COMMENT = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y;
const STRING = /"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/y;
const PATTERN =
  /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*\//y;
const TEMPLATE_TEXT = /(?:\\[^]|\$(?!\{)|[^`\\$])*/y;
const WORD_OR_SIGN = /[\w$]+|\s+|[^]/y;
/** What stands before a slash when it begins a pattern and does not divide. */
const BEFORE_PATTERN = /^(?:[=(,:;!&|?{[+\-*%~<>]|return|typeof|case|in|of|await|yield|)$/;

/** Splits a file into its texts. */
export function readSource(text: string): SourceText {
  const spans = spansOf(text);
  const comments = spans.filter((span) => span.kind === "comment");
  return {
    text,
    code: blankOut(text, comments),
    bare: blankOut(text, spans),
    comments: blankOut(text, complementOf(comments, text.length)),
  };
}

/** Line of a position, counted from 1. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

/** Every module the file mentions by a literal name, in order. */
export function importsOf(source: SourceText): ImportMention[] {
  const found: (ImportMention & { readonly at: number })[] = [];
  const collect = (pattern: RegExp, kindOf: (at: number) => ImportMention["kind"]): void => {
    for (const match of source.bare.matchAll(pattern)) {
      const at = match.index + match[0].length;
      const specifier = source.text.slice(at, source.bare.indexOf(match[0].slice(-1), at));
      const line = lineAt(source.text, at);
      found.push({ specifier, line, kind: kindOf(match.index), at });
    }
  };
  collect(/\bfrom\s*["']/g, (at) => (isTypeOnly(source.bare, at) ? "type" : "value"));
  collect(/\bimport\s*["']/g, () => "value");
  collect(/\bimport\s*\(\s*["']/g, () => "dynamic");
  collect(/\bnew\s+URL\(\s*["'](?=[^"']*["']\s*,\s*import\.meta\.url)/g, () => "worker");
  return found
    .filter(({ kind, specifier }) => kind !== "worker" || /^\.{1,2}\/.*\.[jt]s$/.test(specifier))
    .toSorted((left, right) => left.at - right.at)
    .map(({ specifier, line, kind }) => ({ specifier, line, kind }));
}

function isTypeOnly(bare: string, fromAt: number): boolean {
  const start = Math.max(bare.lastIndexOf("import", fromAt), bare.lastIndexOf("export", fromAt));
  return /^(?:import|export)\s+type\b/.test(bare.slice(start, fromAt));
}

function blankOut(text: string, spans: readonly Span[]): string {
  let kept = "";
  let at = 0;
  for (const { start, end } of spans) {
    kept += text.slice(at, start) + text.slice(start, end).replaceAll(/[^\n]/g, " ");
    at = end;
  }
  return kept + text.slice(at);
}

function complementOf(spans: readonly Span[], length: number): Span[] {
  const starts = [0, ...spans.map((span) => span.end)];
  const ends = [...spans.map((span) => span.start), length];
  return starts.map((start, index) => ({ kind: "string", start, end: ends[index] ?? length }));
}

function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  // Depth of braces inside each open `${`: a closing brace at depth 0 returns to the template.
  const holes: number[] = [];
  let before = "";
  let at = 0;
  while (at < text.length) {
    const depth = holes.at(-1);
    const character = text.charAt(at);
    if (character === "`" || (character === "}" && depth === 0)) {
      if (character === "}") holes.pop();
      const end = endOf(TEMPLATE_TEXT, text, at + 1);
      spans.push({ kind: "string", start: at + 1, end });
      const opens = text.startsWith("${", end);
      if (opens) holes.push(0);
      before = opens ? "{" : "`";
      at = end + (opens ? 2 : 1);
      continue;
    }
    if (depth !== undefined && character === "{") holes[holes.length - 1] = depth + 1;
    if (depth !== undefined && character === "}") holes[holes.length - 1] = depth - 1;
    const token = tokenAt(text, at, before);
    if (token.span !== undefined) spans.push(token.span);
    const sign = text.slice(at, token.end).trim();
    if (sign !== "" && token.span?.kind !== "comment") before = sign;
    at = token.end;
  }
  return spans;
}

function tokenAt(text: string, at: number, before: string): { end: number; span?: Span } {
  const commentEnd = endOf(COMMENT, text, at);
  if (commentEnd > at)
    return { end: commentEnd, span: { kind: "comment", start: at, end: commentEnd } };
  const isPattern = text.charAt(at) === "/" && BEFORE_PATTERN.test(before);
  const end = endOf(isPattern ? PATTERN : STRING, text, at);
  if (end > at)
    return { end, span: { kind: "string", start: at + 1, end: Math.max(at + 1, end - 1) } };
  return { end: endOf(WORD_OR_SIGN, text, at) };
}

/** Where a sticky pattern that begins at a position ends; the position itself when it does not match. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}
