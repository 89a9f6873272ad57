import { fc, test } from "@fast-check/vitest";
import { expect } from "vitest";
import { type CsvField, toCsvLine } from "./csv.ts";

/** A reader of RFC 4180 that shares nothing with the writer. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quoted && character === '"' && text.charAt(at + 1) === '"') {
      field += '"';
      at += 1;
    } else if (character === '"') quoted = !quoted;
    else if (!quoted && character === ",") {
      row.push(field);
      field = "";
    } else if (!quoted && character === "\r" && text.charAt(at + 1) === "\n") {
      rows.push([...row, field]);
      row = [];
      field = "";
      at += 1;
    } else field += character;
  }
  expect({ quoted, row, field }).toEqual({ quoted: false, row: [], field: "" });
  return rows;
}

const text = fc.string({
  unit: fc.constantFrom('"', ",", "\r", "\n", "=", "+", "-", "@", "'", " ", "\t", "a", "é", "😀"),
});
const field = fc.oneof(text, fc.string({ unit: "binary" }), fc.integer(), fc.constant(null));

test.prop([fc.array(fc.array(field, { minLength: 1 }))])(
  "lines are read back as they were written, but for the apostrophe before a formula",
  (table: readonly (readonly CsvField[])[]) => {
    const rows = parseCsv(table.map(toCsvLine).join(""));

    expect(rows).toHaveLength(table.length);
    for (const [at, row] of table.entries()) {
      const read = rows[at] ?? [];
      expect(read).toHaveLength(row.length);
      for (const [place, value] of row.entries()) {
        const plain = value === null ? "" : String(value);
        expect([plain, `'${plain}`]).toContain(read[place]);
      }
    }
  },
);

test.prop([text])("no text begins as a formula does, and numbers stay numbers", (value) => {
  const [[read = ""] = []] = parseCsv(toCsvLine([value]));

  expect(read).not.toMatch(/^\s*[=+\-@]/);
  expect(toCsvLine([-1.5, 2])).toBe("-1.5,2\r\n");
});

test("what needs no quotes gets none, and the rest has them doubled", () => {
  expect(toCsvLine(["a b", null, 'say "no"', "x,y", "1\n2"])).toBe(
    'a b,,"say ""no""","x,y","1\n2"\r\n',
  );
  expect(toCsvLine(["=1+1", "-x", '@a "b"'])).toBe(`'=1+1,'-x,"'@a ""b"""\r\n`);
});
