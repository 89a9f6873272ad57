// Patterns of ours take no longer than their text is long: each one in `src` is read from its source and run over texts
// of 50,000 characters that are built of its own pieces, to make it begin again and again. Patterns that are made at run
// time are known one by one, with where their pieces come from.

import { globSync } from "node:fs";
import { parseAst } from "rolldown/parseAst";
import { expect, test } from "vitest";
import { readText } from "../../scripts/repository.ts";
import { classifyText } from "../../src/policy/classify/classify-text.ts";
import { fingerprintOf } from "../../src/policy/failure.ts";
import { isRecord } from "../../src/std/record.ts";
import { noteSecret, redact } from "../../src/std/redact.ts";
import { oneLine } from "../../src/std/text.ts";

const CHARS = 50_000;
const MS_MAX = 50;
/** Short ones first: what takes exponential time must not be given more. */
const LENGTHS = [20, 24, 28, 64, 200, 800, 3_000, CHARS / 4, CHARS];

interface Pattern {
  readonly name: string;
  readonly source: string;
  readonly flags: string;
}

/** Sources that ship; the chapters of the store suite compare messages of ours only, and of the store that is tested. */
const FILES = globSync("**/*.{ts,tsx}", { cwd: "src" })
  .filter((file) => !file.includes(".test.") && !file.startsWith("testing/store-suite/"))
  .toSorted();

interface Found {
  readonly patterns: readonly Pattern[];
  /** Where patterns are made at run time. */
  readonly made: readonly string[];
}

function readPatterns(): Found {
  const patterns: Pattern[] = [];
  const made: string[] = [];
  for (const file of FILES) {
    visit(parseAst(readText("src", file), { lang: file.endsWith("x") ? "tsx" : "ts" }), (node) => {
      const { regex, type, callee } = node;
      if (isRecord(regex)) {
        const [source, flags] = [String(regex["pattern"]), String(regex["flags"])];
        patterns.push({ name: `${file} /${source}/${flags}`, source, flags });
      }
      const isMade = type === "NewExpression" || type === "CallExpression";
      if (isMade && isRecord(callee) && callee["name"] === "RegExp") made.push(file);
    });
  }
  return { patterns, made };
}

function visit(node: unknown, look: (node: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(node)) for (const each of node) visit(each, look);
  else if (isRecord(node)) {
    look(node);
    for (const each of Object.values(node)) visit(each, look);
  }
}

/** One character of a pattern, or a class of them, and how often it stands there at least. */
const ATOM =
  /(\[(?:[^\\\]]|\\.)*\]|\\(?:u\{[^}]*\}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|[pP]\{[^}]*\}|[^bBk\d])|[^\\^$|()[\]{}?*+])(?:\{(\d+))?/g;
const NO_ATOM = /\(\?(?:[:=!]|<[=!]|<\w+>)|\\[bB]|\\\d|[?*+]\??|\{[\d,]*\}\??/y;

interface Piece {
  readonly common: string;
  readonly rare: string;
}

const ALPHABET = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).concat([
  "é",
  "–",
  "…",
  "\u2028",
  "\u061c",
  "\ufeff",
  "\uff1d",
]);

/** The pieces in order: of each class a character that others take as well, and one that few take. */
function readPieces({ source, flags }: Pattern): readonly Piece[] {
  const atoms = listAtoms(source);
  const takes = atoms.map(({ text }) => {
    const one = new RegExp(`^(?:${text})$`, flags.replaceAll(/[gym]/g, ""));
    return new Set(ALPHABET.filter((character) => one.test(character)));
  });
  const shared = (character: string): number =>
    takes.filter((taken) => taken.has(character)).length;
  return atoms.map(({ least }, index) => {
    const taken = [...(takes[index] ?? [])].toSorted((a, b) => shared(b) - shared(a));
    const repeat = (character: string = ""): string => character.repeat(Math.max(1, least));
    return { common: repeat(taken[0]), rare: repeat(taken.at(-1)) };
  });
}

function listAtoms(source: string): readonly { readonly text: string; readonly least: number }[] {
  const atoms: { text: string; least: number }[] = [];
  for (let at = 0; at < source.length;) {
    NO_ATOM.lastIndex = at;
    const skipped = NO_ATOM.exec(source)?.[0].length ?? 0;
    ATOM.lastIndex = at + skipped;
    const found = skipped > 0 ? null : ATOM.exec(source);
    if (found?.index === at) {
      const [whole, text = "", least = "1"] = found;
      atoms.push({ text, least: Number(least) });
      at += whole.length;
    } else at += Math.max(1, skipped);
  }
  return atoms;
}

/** How texts end: as they began, or so that a match that had come far comes to nothing. */
const ENDS = ["", "\u0000", "! \n"];

interface Attack {
  readonly start: string;
  readonly repeated: string;
  readonly end: string;
}

/** What leads up to each piece or nothing, then some pieces from there on again and again, then an end. */
function listAttacks(pieces: readonly Piece[]): readonly Attack[] {
  const ofPieces = (["common", "rare"] as const).flatMap((kind) => {
    const texts = pieces.map((piece) => piece[kind]);
    return texts.flatMap((_, index) =>
      [1, 2, texts.length].flatMap((size) => {
        const repeated = texts.slice(index, index + size).join("");
        return ["", texts.slice(0, index).join("")].map((start) => ({ start, repeated }));
      }),
    );
  });
  const always = [" ", "\t \n", "\n", "a", "0", "-", ".", "/", '"', "'", "aA0_-. /"];
  const all = [...ofPieces, ...always.map((repeated) => ({ start: "", repeated }))];
  const unique = new Map(all.map((each) => [JSON.stringify(each), each]));
  return [...unique.values()]
    .filter(({ repeated }) => repeated !== "")
    .flatMap((each) => ENDS.map((end) => ({ ...each, end })));
}

/** Processor time of this thread for all matches in a text, ms. */
function measure({ source, flags }: Pattern, text: string): number {
  const pattern = new RegExp(source, flags);
  const before = process.threadCpuUsage();
  for (let found = pattern.exec(text); found !== null && pattern.global;) {
    if (found[0] === "") pattern.lastIndex += 1;
    found = pattern.exec(text);
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** The attack that takes too long, in words; undefined: none does. */
function findSlow(pattern: Pattern): string | undefined {
  for (const { start, repeated, end } of listAttacks(readPieces(pattern))) {
    for (const length of LENGTHS) {
      const count = Math.max(1, Math.floor((length - start.length - end.length) / repeated.length));
      const text = `${start}${repeated.repeat(count)}${end}`;
      // Once more, as the machine may have been doing something else.
      const ms = measure(pattern, text);
      // Of a quarter of the length it took so little that even the square of four is within bounds.
      if (length === CHARS / 4 && ms < 1) break;
      if (ms < MS_MAX || measure(pattern, text) < MS_MAX) continue;
      return `${ms} ms for ${JSON.stringify([start, repeated, end])} of ${text.length}`;
    }
  }
  return undefined;
}

const { patterns, made } = readPatterns();

/** Patterns that are made at run time, as they are made; empty where their pieces are known only then. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  // Colours of a terminal.
  "cli/foreground/output-guard.ts": ["(\\u001b\\[[\\d;]*m)"],
  // A name that we give, in a file of the kernel.
  "engine/executors/command/process-tree.ts": ["^VmRSS:\\s+(\\d+) kB$"],
  // A copy of what the author of a pipeline wrote, who may write any code.
  "engine/executors/command/watch.ts": [],
  // Phrases of ours, asked below.
  "policy/classify/classify-text.ts": [],
  "service/access/access.ts": ["^mlr_([A-Za-z0-9][A-Za-z0-9._-]{0,63})\\.([\\w-]{43})$"],
  // Secrets letter by letter, asked below.
  "std/redact.ts": [],
};

test("S21: the search for slow patterns finds those that are", () => {
  for (const source of [
    "(a+)+$",
    "^(?:\\w|\\d)*!$",
    "\\s+$",
    "\\s*\\n\\s*x",
    "^(?:[^:]+:?)+;$",
    '"[^"]*"=|x.*y.*z',
    "<a[^>]*>.*<\\/b>",
  ]) {
    const slow = findSlow({ name: source, source, flags: "" });
    expect([source, slow === undefined]).toEqual([source, false]);
  }
  for (const source of ["^\\d{1,16}$", "^[a-z]+$", "[&<>]", "a{1,10}b"])
    expect([source, findSlow({ name: source, source, flags: "g" })]).toEqual([source, undefined]);
});

test("S21: patterns that are made at run time are these, and none is made of what comes from outside", () => {
  expect(new Set(made)).toEqual(new Set(Object.keys(MADE)));
  for (const [file, sources] of Object.entries(MADE)) {
    for (const source of sources)
      expect([file, findSlow({ name: file, source, flags: "m" })]).toEqual([file, undefined]);
  }
  noteSecret("of-the-patterns", `${"ab".repeat(40)}c.*(d+)+`);
  const pieces = ["ab", "not", "find ", "rate-", "dns ", "time out\n", " ", "(d+)+", "x/"];
  for (const piece of pieces) {
    const text = piece.repeat(CHARS / piece.length);
    for (const [name, work] of Object.entries(USES)) {
      const before = process.threadCpuUsage();
      work(text);
      const { user, system } = process.threadCpuUsage(before);
      // Several patterns each.
      const isQuick = (user + system) / 1_000 < 4 * MS_MAX;
      expect([name, piece, isQuick]).toEqual([name, piece, true]);
    }
  }
});

const USES: Readonly<Record<string, (text: string) => unknown>> = {
  classifyText: (text) => classifyText(text),
  redact: (text) => redact(text),
  oneLine: (text) => oneLine(text),
  fingerprint: (text) => fingerprintOf("unknown", undefined, text),
};

test(
  "S21: no pattern of ours takes 50 ms for a text of 50,000 characters",
  { timeout: 300_000 },
  () => {
    expect(patterns.length).toBeGreaterThan(150);
    const unique = new Map(
      patterns.map((pattern) => [`/${pattern.source}/${pattern.flags}`, pattern]),
    );
    const slow = [...unique.values()].flatMap((pattern) => {
      const found = findSlow(pattern);
      return found === undefined ? [] : [`${pattern.name}: ${found}`];
    });
    expect(slow).toEqual([]);
  },
);
