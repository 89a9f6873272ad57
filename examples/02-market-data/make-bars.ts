// Writes the files of minute bars that the pipeline reads: the same bytes every time.
//   node --conditions=@millrace/source make-bars.ts [folder]
import { join } from "node:path";
import process from "node:process";
import { writeBars } from "./bars/write-bars.ts";
import { settings } from "./settings.ts";

const folder = process.argv[2] ?? join(settings.MARKET_DATA_OUT, "bars");
const { files } = await writeBars(folder);
process.stderr.write(`${files} files of minute bars in ${folder}\n`);
