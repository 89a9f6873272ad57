// Monthly tables, one for each instrument and session. Rows that are there stay unless a newer one has their key; a
// table with other columns than ours is left as it is and ends the merge.
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { ANALYSIS_COLUMNS, type AnalysisRow } from "../analyze/analyze-day.ts";
import { readIfThere, replaceFile } from "../disk/replace-file.ts";

/** A table that was written. */
export interface MonthTable {
  /** Path in the folder of results: "merged/ES/2019-11_S1.csv". */
  readonly file: string;
  readonly rows: number;
}

/** A table whose columns are not ours. */
export class TableFault extends Error {
  override readonly name = "TableFault";
}

function toFile({ Instrument, Date: day, Session }: AnalysisRow): string {
  return `merged/${Instrument}/${day.slice(0, 7)}_${Session}.csv`;
}

/** What no two rows of a table share; sorts as the rows do. */
function toRowKey(row: AnalysisRow): string {
  return [row.Date, row.Time, row.Session, row.Instrument, row.Stream].join(" ");
}

/** Merges rows into their tables. Throws a TableFault before anything is written. */
export async function mergeRows(
  out: string,
  rows: readonly AnalysisRow[],
): Promise<readonly MonthTable[]> {
  const byFile = Map.groupBy(rows, toFile);
  const merged = [...byFile].map(async ([file, added]) => {
    const byKey = new Map((await readTable(out, file)).map((row) => [toRowKey(row), row]));
    for (const row of added) byKey.set(toRowKey(row), row);
    const all = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    return { file, all };
  });
  const tables = await Promise.all(merged);
  for (const { file, all } of tables) {
    const text = stringify(all, { header: true, columns: [...ANALYSIS_COLUMNS] });
    await replaceFile(join(out, file), text);
  }
  return tables.map(({ file, all }) => ({ file, rows: all.length }));
}

/** The rows of a table; none where there is no table. */
async function readTable(out: string, file: string): Promise<AnalysisRow[]> {
  const text = await readIfThere(join(out, file));
  if (text === undefined) return [];
  const header = text.slice(0, text.indexOf("\n")).trim();
  if (header === ANALYSIS_COLUMNS.join()) return parse(text, { columns: true });
  throw new TableFault(
    `"${file}" has columns "${header}", expected "${ANALYSIS_COLUMNS.join()}". ` +
      "Move it away and run again: its rows are made anew.",
  );
}
