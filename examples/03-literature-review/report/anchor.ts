// Names of places in the page, made from positions: a file name never becomes part of an address.
import type { PaperEntry } from "../output/literature.ts";

/** Where a paper stands. */
export function toPaperId(papers: readonly PaperEntry[], paper: string): string {
  return `paper-${papers.findIndex((entry) => entry.paper === paper) + 1}`;
}

/** Where the claims of a paper about one requirement begin. */
export function toClaimsId(
  papers: readonly PaperEntry[],
  paper: string,
  requirement: string,
): string {
  return `${toPaperId(papers, paper)}-${requirement}`;
}
