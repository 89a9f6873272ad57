// Works that a text cites in the form "(White 1980)" or "White and Domowitz (1984)", and the year of a paper.

const NAME = String.raw`\p{Lu}[\p{L}’'-]+`;
const CITATION = new RegExp(
  String.raw`(${NAME})(?:,? (?:and|&) ${NAME}|, ${NAME}|,? et al\.| Core Team| Development Core Team)*,? \(?((?:19|20)\d\d)[a-z]?\b`,
  "gu",
);
// "March 2005" is a date and "Release 2012" a version.
const NO_AUTHOR =
  /^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Spring|Autumn|Since|In|From|Until|Release|Version|Year)/;

/** A cited work. */
export interface Citation {
  readonly author: string;
  readonly year: number;
}

/** The works that a text cites, each once, in order. */
export function findCitations(text: string): Citation[] {
  const found = new Map<string, Citation>();
  for (const [, author = "", year = ""] of text.matchAll(CITATION)) {
    if (NO_AUTHOR.test(author)) continue;
    found.set(`${author} ${year}`, { author, year: Number(year) });
  }
  return [...found.values()];
}

/**
 * When a paper was written: not before the newest work it cites. Falls back to the year its file was made;
 * null when nothing is known. Years after `asOf` are misread numbers.
 */
export function findPaperYear(
  texts: readonly string[],
  { madeYear, asOf }: { readonly madeYear: number | null; readonly asOf: number },
): number | null {
  const years = texts
    .flatMap(findCitations)
    .map(({ year }) => year)
    .filter((year) => year <= asOf);
  return years.length > 0 ? Math.max(...years) : madeYear;
}
