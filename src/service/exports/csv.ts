// One line of CSV as RFC 4180 has it: fields apart by commas, a field with a comma, a quote or a line end in
// quotes, quotes doubled, CR LF at the end. Text that a spreadsheet would run as a formula gets an apostrophe in
// front, which is what spreadsheets themselves take for "this is text"; numbers never do.

/** A field. Null: empty. */
export type CsvField = string | number | null;

/** One line with its end. */
export function toCsvLine(fields: readonly CsvField[]): string {
  return `${fields.map(toField).join(",")}\r\n`;
}

const SPECIAL = /[",\r\n]/;
// Also after blanks, which spreadsheets cut off, and in the full width that they take for the same.
const FORMULA = /^[\s\uFEFF]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/;

function toField(field: CsvField): string {
  if (field === null) return "";
  if (typeof field === "number") return String(field);
  const safe = FORMULA.test(field) ? `'${field}` : field;
  return SPECIAL.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
