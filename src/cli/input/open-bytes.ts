// A file to be read once from its beginning, or stdin (`-`). A file that grows meanwhile is read as far as it
// reached when it was opened.

import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { MillraceError } from "../../model/errors.ts";
import type { CliContext } from "../cli-context.ts";

/** Bytes to be read once, and what is open for that until it is disposed of. */
export interface OpenedBytes extends AsyncIterable<Uint8Array>, AsyncDisposable {}

const CHUNK_BYTES: number = 256 * 1024;

/** Opens it now, so that a fault is told before anything else is done. FILE_UNREADABLE. */
export async function openBytes(
  context: Pick<CliContext, "cwd" | "stdin">,
  file: string,
): Promise<OpenedBytes> {
  if (file === "-") return toOpened(readStream(context.stdin()), async () => undefined);
  try {
    const handle = await open(resolve(context.cwd, file));
    const stat = await handle.stat();
    if (stat.isDirectory()) {
      await handle.close();
      throw new Error("it is a folder");
    }
    // A pipe has no size and is read to its end.
    const bytes = stat.isFile() ? stat.size : Infinity;
    return toOpened(readUpTo(handle, bytes), () => handle.close());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError("FILE_UNREADABLE", `The file "${file}" cannot be read: ${reason}.`, {
      hint: "a path counts from the working folder; - is stdin",
      details: { file },
      cause,
    });
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

function toOpened(bytes: AsyncGenerator<Uint8Array>, close: () => Promise<void>): OpenedBytes {
  return { [Symbol.asyncIterator]: () => bytes, [Symbol.asyncDispose]: close };
}

async function* readUpTo(handle: Handle, bytesMax: number): AsyncGenerator<Uint8Array> {
  // A buffer of its own each time: whoever takes a chunk may hold parts of it.
  for (let left = bytesMax; left > 0;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* readStream(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}
