// How one stream is written to: which signs, whether coloured, how wide. Resolved once per stream and handed
// to every renderer, so that none of them asks a terminal or an environment again.

import type { CliContext, OutStream } from "../cli-context.ts";
import { makePaint, resolveColor, type Paint } from "./color.ts";
import { resolveAlphabet, type Alphabet } from "./marks.ts";
import { resolveColumns } from "./width.ts";

/** What renderers need to know of a stream. */
export interface Look {
  readonly alphabet: Alphabet;
  readonly paint: Paint;
  /** Columns that a line may take; Infinity where nothing is shortened. */
  readonly columnsMax: number;
  /** True if the stream is a terminal. */
  readonly isTerminal: boolean;
}

/** The look of a stream of this command: `context.stdout` or `context.stderr`. */
export function lookOf(context: CliContext, stream: OutStream): Look {
  const { env, flags } = context;
  const isTerminal = stream.isTTY === true;
  return {
    alphabet: resolveAlphabet({ ascii: flags.ascii, env }),
    paint: makePaint(resolveColor({ flag: flags.color, env, isTerminal })),
    columnsMax: isTerminal ? resolveColumns({ env, terminalColumns: stream.columns }) : Infinity,
    isTerminal,
  };
}

/** The look of a file or pipe whatever the command line says: no colour, nothing shortened. */
export function plainLook(alphabet: Alphabet): Look {
  return { alphabet, paint: makePaint(false), columnsMax: Infinity, isTerminal: false };
}
