// A PDF file to pages of positioned text; what is wrong with the file is said as a fault with a reason. The
// only file that knows the PDF library. What belongs together on a page is left to page-text.ts.
import { getDocumentProxy } from "unpdf";

/** Largest file that is read, in bytes. */
export const FILE_BYTES_MAX: number = 50 * 1024 * 1024;
/** Longest document that is read, in pages. */
const PAGES_MAX = 1_000;

/** Why a file is no paper: reading it again would not help. */
export class PaperFault extends Error {
  override readonly name = "PaperFault";
  readonly code: "PDF_CUT" | "PDF_ENCRYPTED" | "PDF_INVALID" | "PDF_TOO_LARGE";

  constructor(code: PaperFault["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A piece of text where it stands on its page, in points from the lower left corner. */
export interface TextPiece {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Height of the type. */
  readonly size: number;
}

/** Everything the file says. */
export interface RawPaper {
  /** Empty when the file names none. */
  readonly title: string;
  readonly authors: string;
  /** Year in which the file was made, or null. */
  readonly madeYear: number | null;
  /** Pieces by page, in reading order. */
  readonly pages: readonly (readonly TextPiece[])[];
}

/** Reads a file. `name` is for messages. Throws a PaperFault when it is cut, encrypted or no PDF. */
export async function readPdf(bytes: Uint8Array, name: string): Promise<RawPaper> {
  assertWhole(bytes, name);
  const document = await openPdf(bytes, name);
  try {
    if (document.numPages > PAGES_MAX) {
      const message = `"${name}" has ${document.numPages} pages, at most ${PAGES_MAX} are read.`;
      throw new PaperFault("PDF_TOO_LARGE", message);
    }
    const { info } = await document.getMetadata();
    const pages: TextPiece[][] = [];
    for (let number = 1; number <= document.numPages; number++) {
      pages.push(await readPieces(document, number));
    }
    return { ...toFacts(info), pages };
  } finally {
    await document.destroy();
  }
}

/** A PDF ends with a mark. Readers that repair a file without it would give half a paper for a whole one. */
function assertWhole(bytes: Uint8Array, name: string): void {
  const size = bytes.byteLength;
  if (size > FILE_BYTES_MAX) {
    const message = `"${name}" has ${size} bytes, at most ${FILE_BYTES_MAX} are read.`;
    throw new PaperFault("PDF_TOO_LARGE", message);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, size);
  if (!buffer.subarray(0, 1_024).includes("%PDF-")) {
    const start = JSON.stringify(buffer.subarray(0, 8).toString("latin1"));
    const message = `"${name}" is not a PDF file: it begins with ${start}, expected "%PDF-".`;
    throw new PaperFault("PDF_INVALID", message);
  }
  if (!buffer.subarray(-1_024).includes("%%EOF")) {
    const message = `"${name}" is cut off: after ${size} bytes there is no "%%EOF". Fetch it again.`;
    throw new PaperFault("PDF_CUT", message);
  }
}

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;

async function openPdf(bytes: Uint8Array, name: string): Promise<PdfDocument> {
  try {
    // A copy: the reader takes the bytes away from whoever passes them. Verbosity 0 keeps it from printing.
    return await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
  } catch (error) {
    if (error instanceof Error && error.name === "PasswordException") {
      const message = `"${name}" is encrypted and wants a password. Put a readable copy in its place.`;
      throw new PaperFault("PDF_ENCRYPTED", message, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new PaperFault("PDF_INVALID", `"${name}" cannot be read as PDF: ${reason}`, {
      cause: error,
    });
  }
}

async function readPieces(document: PdfDocument, number: number): Promise<TextPiece[]> {
  const page = await document.getPage(number);
  const { items } = await page.getTextContent();
  page.cleanup();
  return items.flatMap((item) => {
    if (!("str" in item) || item.str === "") return [];
    const [x, y, size] = [4, 5, 3].map((at) => Number(item.transform[at]));
    return [{ text: item.str, x: x ?? 0, y: y ?? 0, width: item.width, size: Math.abs(size ?? 0) }];
  });
}

function toFacts(info: object): Omit<RawPaper, "pages"> {
  const fields = new Map(Object.entries(info));
  const text = (name: string): string => String(fields.get(name) ?? "").trim();
  const year = /^D:(\d{4})/.exec(text("CreationDate"))?.[1];
  return {
    title: text("Title"),
    authors: text("Author"),
    madeYear: year === undefined ? null : Number(year),
  };
}
