// Who asks: by a bearer token, or by the cookie of a session. A request with a bearer token is judged by it alone.

import { MillraceError } from "../../model/errors.ts";
import type { Access } from "../../service/access/access.ts";
import { includesRole } from "../../service/access/identity.ts";
import type { Caller, RouteAccess } from "../route.ts";

/** What callers are known by. */
export interface CredentialTerms {
  readonly access: Access;
  /** Whether it is reached by TLS: then the cookie has the name that only TLS may set. */
  readonly isSecure: boolean;
}

/** Name of the cookie of a session. */
export function cookieName(isSecure: boolean): string {
  return isSecure ? "__Host-millrace_session" : "millrace_session";
}

/** Who asks; null: no credentials. UNAUTHENTICATED where they are no good, RATE_LIMITED after too many such. */
export async function authenticate(
  headers: Headers,
  address: string,
  { access, isSecure }: CredentialTerms,
): Promise<Caller | null> {
  const authorization = headers.get("authorization");
  if (authorization !== null) return await byToken(authorization, address, access);
  const secret = readCookie(headers.get("cookie"), cookieName(isSecure));
  if (secret === undefined) return null;
  const session = await access.useSession(secret);
  if (session === null) throw unauthenticated("The session has ended.");
  return { ...session.identity, via: "cookie" };
}

/** Lets a caller pass whose role is enough. UNAUTHENTICATED, FORBIDDEN. */
export function requireRole(caller: Caller | null, needed: RouteAccess): void {
  if (needed === "public") return;
  if (caller === null) throw unauthenticated("No token or session came with the request.");
  if (includesRole(caller.role, needed)) return;
  throw new MillraceError(
    "FORBIDDEN",
    `This needs the role "${needed}", and yours is "${caller.role}".`,
  );
}

/** Whether who came in with these headers may still be there; asked as often as one likes, and no use of a session. */
export function stillGood(
  caller: Caller,
  cookies: string | null,
  { access, isSecure }: CredentialTerms,
): () => Promise<boolean> {
  if (caller.via === "bearer") return () => access.isGood(caller);
  const secret = readCookie(cookies, cookieName(isSecure)) ?? "";
  return async () => access.hasSession(secret) && (await access.isGood(caller));
}

/** The value of a cookie; undefined where it is absent, or there twice, which a neighbour may have planted. */
export function readCookie(header: string | null, name: string): string | undefined {
  const values = (header ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** The refusal for who is not known. */
export function unauthenticated(message: string): MillraceError {
  return new MillraceError("UNAUTHENTICATED", message, {
    hint: "send the header Authorization: Bearer <token>; the token file lies beside the store",
  });
}

/** RATE_LIMITED where an address has to wait before its next token is looked at. */
export function refuseWaiting(access: Access, address: string, token: string): void {
  const waitMs = access.waitMs(address, token);
  if (waitMs <= 0) return;
  throw new MillraceError("RATE_LIMITED", "Too many bad tokens came from this address.", {
    retryable: true,
    details: { retryAfterMs: Math.ceil(waitMs) },
  });
}

async function byToken(authorization: string, address: string, access: Access): Promise<Caller> {
  const [, token] = /^bearer +([\w.~+/-]{1,512}=*)$/i.exec(authorization) ?? [];
  if (token === undefined) throw unauthenticated("The Authorization header holds no bearer token.");
  refuseWaiting(access, address, token);
  const identity = await access.identify(token, address);
  if (identity === null) throw unauthenticated("The token is unknown, expired or revoked.");
  return { ...identity, via: "bearer" };
}
