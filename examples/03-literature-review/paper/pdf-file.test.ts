import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FILE_BYTES_MAX, readPdf } from "./pdf-file.ts";

const EXAMPLE = join(import.meta.dirname, "..");

function read(...path: readonly string[]): Promise<unknown> {
  return readPdf(readFileSync(join(EXAMPLE, ...path)), path.at(-1) ?? "");
}

test("a cut file is named as such, with its size", async () => {
  await expect(read("papers-gpl", "cut", "zoo-cut.pdf")).rejects.toMatchObject({
    code: "PDF_CUT",
    message: expect.stringContaining('"zoo-cut.pdf" is cut off: after 99721 bytes'),
  });
});

test("an encrypted file is named as such", async () => {
  const fault = { code: "PDF_ENCRYPTED", message: expect.stringContaining("wants a password") };
  await expect(read("faulty", "encrypted.pdf")).rejects.toMatchObject(fault);
});

test("text, an empty file and a broken one are no PDF files", async () => {
  for (const text of ["A note.", "", "%PDF-1.4\nnothing\n%%EOF\n"]) {
    const reading = readPdf(Buffer.from(text), "note.pdf");
    await expect(reading).rejects.toMatchObject({ code: "PDF_INVALID", name: "PaperFault" });
  }
});

test("a file above the limit is not opened", async () => {
  const reading = readPdf(new Uint8Array(FILE_BYTES_MAX + 1), "large.pdf");
  await expect(reading).rejects.toMatchObject({ code: "PDF_TOO_LARGE" });
});

test.each(["empty.pdf", "image-only.pdf"])(
  "%s is a PDF file with a page and no text",
  async (name) => {
    expect(await read("faulty", name)).toMatchObject({ pages: [[]], madeYear: 2022 });
  },
);

test("reading takes nothing away from the bytes it is given", async () => {
  const bytes = readFileSync(join(EXAMPLE, "papers-gpl", "whole", "zoo-design.pdf"));
  const first = await readPdf(bytes, "a");
  expect(await readPdf(bytes, "b")).toEqual(first);
  expect(first).toMatchObject({ title: "zoo Design", authors: "zoo Development Team" });
});
