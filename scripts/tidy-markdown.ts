// What a Markdown page owes its reader: one title, and links that lead somewhere.
// Links to other hosts are not followed, because a check must give the same answer without a network.

import { posix } from "node:path";
import type { Finding } from "./repository.ts";

const FENCED_BLOCK = /^( *)(`{3,}|~{3,})[^\n]*\n(?:[^]*?\n)?\1\2[`~]*[ \t]*$/gm;
/** A span may go over a line break, never over an empty line. */
const CODE_SPAN = /(?<!`)(`+)(?!`)(?:[^\n]|\n(?!\s*\n))+?(?<!`)\1(?!`)/g;

/** The pages of the tree and how to ask for other files. */
export interface Shelf {
  /** Every file and folder of the tree, as paths from the root. */
  readonly paths: ReadonlySet<string>;
  readonly read: (file: string) => string;
}

/** Exactly one first-level heading, before any other text. */
export function findTitleFaults(file: string, text: string): Finding[] {
  const lines = withoutCode(text).split("\n");
  const titles = lines.flatMap((line, index) => (/^# \S/.test(line) ? [index + 1] : []));
  const first = lines.findIndex((line) => line.trim() !== "" && !line.startsWith("<!--")) + 1;
  const second = titles[1];
  if (titles.length === 0 || titles[0] !== first) {
    const message =
      "A page begins with its title, one line with a single #, so that lists can name it.";
    return [{ file, line: first, rule: "one-title", message }];
  }
  if (second === undefined) return [];
  const message = "A page has one title; make this heading a ## or split the page.";
  return [{ file, line: second, rule: "one-title", message }];
}

/** Relative links and pictures whose file or heading does not exist. */
export function findDeadLinks(file: string, text: string, shelf: Shelf): Finding[] {
  const prose = withoutCode(text);
  const links = [
    ...prose.matchAll(/\]\(\s*<?([^)\s>]+)/g),
    ...prose.matchAll(/^\s*\[[^\]^]+\]:\s*(\S+)/gm),
    ...prose.matchAll(/<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)="([^"\s]+)/g),
  ];
  const inOrder = links.toSorted((left, right) => left.index - right.index);
  return inOrder.flatMap((found) => {
    const link = found[1] ?? "";
    const why = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link) ? undefined : whyDead(file, link, shelf);
    if (why === undefined) return [];
    const line = prose.slice(0, found.index).split("\n").length;
    return [{ file, line, rule: "dead-link", message: `The link "${link}" ${why}.` }];
  });
}

function whyDead(file: string, link: string, shelf: Shelf): string | undefined {
  if (link.startsWith("/")) return "starts at the root of a host; write it relative to this page";
  const [path = "", heading] = link.split("#");
  const target = path === "" ? file : posix.join(posix.dirname(file), decodeURI(path));
  const trimmed = target.replace(/\/$/, "");
  if (trimmed.startsWith("../")) return "leaves the repository";
  if (trimmed !== "." && !shelf.paths.has(trimmed))
    return `leads to "${trimmed}", which does not exist`;
  if (heading === undefined || heading === "" || !trimmed.endsWith(".md")) return undefined;
  if (headingNames(shelf.read(trimmed)).has(heading)) return undefined;
  return `names a heading that "${trimmed}" does not have`;
}

/** The names under which a renderer offers the headings of a page, repeated ones numbered. */
function headingNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const found of withoutCode(text, { keepSpans: true }).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const name = (found[1] ?? "")
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    let numbered = name;
    for (let count = 1; names.has(numbered); count += 1) numbered = `${name}-${count}`;
    names.add(numbered);
  }
  for (const found of text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) names.add(found[1] ?? "");
  return names;
}

/** The page with fenced blocks and code spans blanked; line breaks stay. */
export function withoutCode(text: string, { keepSpans = false } = {}): string {
  const blank = (found: string): string => found.replaceAll(/[^\n]/g, " ");
  const prose = text.replaceAll(FENCED_BLOCK, blank);
  return keepSpans ? prose : prose.replaceAll(CODE_SPAN, blank);
}
