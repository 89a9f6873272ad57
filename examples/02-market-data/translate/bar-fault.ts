// A file of bars that says what no market does. Trying again does not mend it.

/** Names the file, the row from 1 without the header, and what was expected. */
export class BarFault extends Error {
  override readonly name = "BarFault";
}
