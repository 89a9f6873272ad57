// How hosts behave, well or badly: each way to answer as a function of who asks and how often, with nothing but data
// coming out. The server turns the data into bytes.

/** What a way to answer may look at. */
export interface Visit {
  readonly method: string;
  /** How often this address was asked for with GET, this time included. */
  readonly count: number;
  readonly nowMs: number;
  readonly header: (name: string) => string | undefined;
  /** True once the dead host is back. */
  readonly isHealed: boolean;
}

/** What is sent. A HEAD gets the same without the body. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Length to announce where it is not that of the body. */
  readonly announced?: number;
  /** What happens when the body has been sent. Default "end". */
  readonly after?: "end" | "hang-up" | "fall-silent";
}

/** One way to answer. */
export type Behaviour = (visit: Visit) => Reply;

/** A document with its mark and date; asked under a condition that holds, nothing but that. */
export function serve(content: Uint8Array, etag: string): Behaviour {
  const headers = {
    "content-type": "application/pdf",
    etag: `"${etag}"`,
    "last-modified": "Mon, 03 Jan 2022 10:00:00 GMT",
  };
  return ({ header }) =>
    header("if-none-match") === headers.etag
      ? { status: 304, headers }
      : { status: 200, headers, body: content };
}

/** Wants to be left alone for a while at first: so many seconds, said as a number or as a date. */
export function busyAtFirst(
  form: "seconds" | "date",
  then: Behaviour,
  seconds: number = 2,
): Behaviour {
  return (visit) => {
    if (visit.method !== "GET" || visit.count > 1) return then(visit);
    const untilMs = Math.floor(visit.nowMs / 1_000) * 1_000 + seconds * 1_000;
    const value = form === "seconds" ? String(seconds) : new Date(untilMs).toUTCString();
    return { status: 429, headers: { "retry-after": value }, body: "slow down\n" };
  };
}

/** 503, so many times. */
export function awayAtFirst(times: number, then: Behaviour): Behaviour {
  return (visit) =>
    visit.method !== "GET" || visit.count > times
      ? then(visit)
      : { status: 503, body: "<h1>Back soon</h1>" };
}

/** 503 until it is back. */
export function deadUntilHealed(then: Behaviour): Behaviour {
  return (visit) => (visit.isHealed ? then(visit) : { status: 503, body: "<h1>Gone</h1>" });
}

/** Somewhere else. */
export function redirect(to: string, status: number = 302): Behaviour {
  return () => ({ status, headers: { location: to } });
}

/** A page. */
export function page(body: string, status: number = 200): Behaviour {
  return () => ({ status, headers: { "content-type": "text/html; charset=utf-8" }, body });
}

/** An answer for programs. */
export function json(value: unknown): Behaviour {
  const headers = { "content-type": "application/json" };
  return () => ({ status: 200, headers, body: JSON.stringify(value) });
}

/** Plain text. */
export function text(body: string): Behaviour {
  return () => ({ status: 200, headers: { "content-type": "text/plain" }, body });
}

/** Looks well from afar; whoever fetches it gets an error page. */
export function brokenInside(well: Behaviour): Behaviour {
  return (visit) =>
    visit.method === "HEAD" ? well(visit) : page("<h1>Internal error</h1>", 500)(visit);
}

/** Half of it, then the connection ends, or nothing more comes. */
export function half(content: Uint8Array, after: "hang-up" | "fall-silent"): Behaviour {
  const body = content.subarray(0, content.length / 2);
  const headers = { "content-type": "application/pdf" };
  return () => ({ status: 200, headers, body, announced: content.length, after });
}

/** Says that it is very long. */
export function huge(bytes: number): Behaviour {
  const headers = { "content-type": "application/pdf" };
  return () => ({ status: 200, headers, body: "%PDF-1.4\n", announced: bytes, after: "hang-up" });
}
