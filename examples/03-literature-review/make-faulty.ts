// Makes the papers that are none again: without text, only a picture, encrypted, cut in half. Writes the
// hashes into both SOURCES.md, too. Needed only when a file changes; nothing in a run or a test calls it. It
// leaves the real papers alone: those come from Debian packages that SOURCES.md names.
//   node make-faulty.ts
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import PDFDocument from "pdfkit";
import { PNG } from "pngjs";

const FAULTY = join(import.meta.dirname, "faulty");
const PAPERS = join(import.meta.dirname, "papers-gpl");

type Draw = (document: PDFKit.PDFDocument) => void;

/** A file with the same bytes every time, as far as the library can. */
async function makePdf(draw: Draw, options: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  const made = new Date(Date.UTC(2022, 0, 1));
  const info = { Title: "A faulty paper", CreationDate: made, ModDate: made };
  const document = new PDFDocument({ size: "A4", ...options, info });
  draw(document);
  document.end();
  const chunks: Buffer[] = [];
  for await (const chunk of document) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Bars like lines of print: looks like a page, holds not a letter. */
function paintScan(): Buffer {
  const png = new PNG({ width: 300, height: 420, colorType: 0 });
  png.data.fill(0xff);
  for (let y = 40; y < 380; y++) {
    if (y % 12 > 5) continue;
    const end = 260 - ((y - (y % 12)) % 5) * 22;
    for (let x = 40; x < end; x++)
      if (x % 31 > 4) png.data.writeUInt32BE(0x40_40_40_ff, (y * 300 + x) * 4);
  }
  return PNG.sync.write(png, { colorType: 0, deflateLevel: 9 });
}

/** Replaces the table under the last heading of a SOURCES.md with the hashes of all files beside it. */
function writeHashes(folder: string): void {
  const file = join(folder, "SOURCES.md");
  const rows = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SOURCES.md")
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => {
      const bytes = readFileSync(path);
      const hash = createHash("sha256").update(bytes).digest("hex");
      return [`\`${path.slice(folder.length + 1)}\``, `${bytes.length}`, `\`${hash}\``];
    });
  const [text] = readFileSync(file, "utf8").split("## Files\n");
  const table = drawTable([["File", "Bytes", "SHA-256"], ["---", "---", "---"], ...rows]);
  writeFileSync(file, `${text ?? ""}## Files\n\n${table}`);
}

/** Rows with columns of one width, as the formatter wants them. */
function drawTable(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, at) => cell.padEnd(widths[at] ?? 0, cell === "---" ? "-" : " "));
    return `| ${cells.join(" | ")} |\n`;
  });
  return lines.join("");
}

const scan = paintScan();
const sentence = "Irregular time series are kept under a totally ordered index.";
const whole = readFileSync(join(PAPERS, "whole", "zoo.pdf"));
writeFileSync(join(FAULTY, "empty.pdf"), await makePdf(() => undefined));
writeFileSync(
  join(FAULTY, "image-only.pdf"),
  await makePdf((document) => document.image(scan, 0, 0, { width: 595 })),
);
writeFileSync(
  join(FAULTY, "encrypted.pdf"),
  await makePdf((document) => document.text(sentence), {
    userPassword: "secret",
    pdfVersion: "1.4",
  }),
);
writeFileSync(join(PAPERS, "cut", "zoo-cut.pdf"), whole.subarray(0, Math.floor(whole.length / 2)));
writeHashes(FAULTY);
writeHashes(PAPERS);
