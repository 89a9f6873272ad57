// Which translated file lies in the folder of results, and of which making it is. A day whose file is missing or was
// changed gets a new mark, so that the cache, which keeps no files, does not answer for it.
import { join } from "node:path";
import * as z from "zod";
import { hashOf, readIfThere, replaceFile } from "../disk/replace-file.ts";

const NAME = "ledger.json";

const LEDGER = z.object({
  days: z.record(z.string(), z.object({ mark: z.string(), sha256: z.string() })),
});

/** What is kept of each translated day, by its path in the folder of results. */
export type Ledger = z.infer<typeof LEDGER>;

/** The ledger of a folder of results. One that is damaged, or was not written yet, is empty. */
export async function readLedger(out: string): Promise<Ledger> {
  const text = await readIfThere(join(out, NAME));
  if (text === undefined) return { days: {} };
  try {
    return LEDGER.parse(JSON.parse(text));
  } catch {
    // What is lost with it is that days need not be translated again.
    return { days: {} };
  }
}

/** Writes it, days in order. */
export async function writeLedger(out: string, { days }: Ledger): Promise<void> {
  const sorted = Object.entries(days).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify({ days: Object.fromEntries(sorted) }, null, 2);
  await replaceFile(join(out, NAME), `${text}\n`);
}

/** The mark of the file that is there, or the new one. */
export async function findMark(
  ledger: Ledger,
  { out, file, newMark }: { readonly out: string; readonly file: string; readonly newMark: string },
): Promise<string> {
  const known = ledger.days[file];
  if (known === undefined) return newMark;
  const text = await readIfThere(join(out, file));
  return text !== undefined && hashOf(text) === known.sha256 ? known.mark : newMark;
}
