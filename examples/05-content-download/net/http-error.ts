// An answer that is none: what the engine reads to tell "later" from "never" and how long to wait.
import type { IncomingHttpHeaders } from "node:http";

/** An HTTP status that was not hoped for. `status` and `headers` are what the engine classifies by. */
export class HttpError extends Error {
  readonly status: number;
  /** Retry-After, Date and the rate-limit headers decide about the wait. */
  readonly headers: IncomingHttpHeaders;

  constructor(message: string, status: number, headers: IncomingHttpHeaders) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.headers = headers;
  }
}

/** True where another attempt, or another time, may be answered otherwise. */
export function isPassing(status: number): boolean {
  return status >= 500 || [408, 420, 423, 425, 429].includes(status);
}
