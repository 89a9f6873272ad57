// Signing in and out: a ticket or a token becomes a session in a cookie that no script can read, and who has come in
// may get a ticket for a socket, or for somebody else's browser.

import * as z from "zod";
import { SESSION_MS_DEFAULT } from "../../model/defaults.ts";
import { ROLES } from "../../service/access/identity.ts";
import {
  cookieName,
  readCookie,
  refuseWaiting,
  stillGood,
  unauthenticated,
} from "../guards/credentials.ts";
import type { HttpContext } from "../http-context.ts";
import { defineRoute, type Route } from "../route.ts";

const PATH = "/api/v1/session";

const SECRET = z.string().min(1).max(512);

const WHO = z.strictObject({
  actor: z.string(),
  role: z.enum(ROLES),
  via: z.enum(["bearer", "cookie"]),
});

const signIn = defineRoute({
  method: "POST",
  path: PATH,
  access: "public",
  tag: "session",
  summary: "signs in with a ticket or a token; answers with the cookie of a session",
  idempotent: false,
  body: z.union([z.strictObject({ ticket: SECRET }), z.strictObject({ token: SECRET })]),
  result: WHO,
  handle: async ({ body, context, http }) => {
    const address = context.get("address");
    const given = "ticket" in body ? body.ticket : body.token;
    refuseWaiting(http.access, address, given);
    const identity =
      "ticket" in body
        ? await http.access.redeemLogin(given, address)
        : await http.access.identify(given, address);
    if (identity === null)
      throw unauthenticated("The ticket or token is unknown, used or too old.");
    // A session that was planted in the browser before must not become one that is signed in.
    closeOld(http, context.req.raw.headers);
    const secret = http.access.openSession(identity);
    const { role } = identity;
    const actor = identity.actor.replace(/^token:/, "session:");
    return {
      json: { actor, role, via: "cookie" as const },
      headers: { "set-cookie": writeCookie(http, secret, SESSION_MS_DEFAULT / 1000) },
    };
  },
});

const whoAmI = defineRoute({
  method: "GET",
  path: PATH,
  access: "read",
  tag: "session",
  summary: "who asks, and with what role",
  result: WHO,
  handle: ({ context, actor }) => {
    const caller = context.get("caller");
    if (caller === null) throw unauthenticated("No token or session came with the request.");
    return { json: { actor, role: caller.role, via: caller.via } };
  },
});

const signOut = defineRoute({
  method: "DELETE",
  path: PATH,
  access: "read",
  tag: "session",
  summary: "ends the session of the cookie",
  result: z.strictObject({ ended: z.boolean() }),
  handle: ({ context, http }) => {
    const ended = closeOld(http, context.req.raw.headers);
    return { json: { ended }, headers: { "set-cookie": writeCookie(http, "", 0) } };
  },
});

const makeTicket = defineRoute({
  method: "POST",
  path: `${PATH}/ticket`,
  access: "read",
  tag: "session",
  summary: "a ticket that is good once: for a socket (30 s), or to sign in a browser (60 s)",
  // Its answer is a secret, and secrets are not kept.
  idempotent: false,
  body: z.strictObject({ purpose: z.enum(["socket", "login"]).default("socket") }),
  result: z.strictObject({ ticket: z.string() }),
  handle: ({ body, context, http }) => {
    const caller = context.get("caller");
    if (caller === null) throw unauthenticated("No token or session came with the request.");
    const { tokenId, role } = caller;
    const actor = caller.actor.replace(/^session:/, "token:");
    const identity = { actor, tokenId, role };
    const { access } = http;
    const cookies = context.req.raw.headers.get("cookie");
    const ticket =
      body.purpose === "login"
        ? access.makeLoginTicket(identity)
        : access.makeSocketTicket({
            identity: caller,
            isStillGood: stillGood(caller, cookies, http),
          });
    return { status: 201 as const, json: { ticket } };
  },
});

/** Routes about the session of whoever asks. */
export const SESSION_ROUTES: readonly Route[] = [signIn, whoAmI, signOut, makeTicket];

function closeOld(http: HttpContext, headers: Headers): boolean {
  const old = readCookie(headers.get("cookie"), cookieName(http.isSecure));
  if (old !== undefined) http.access.closeSession(old);
  return old !== undefined;
}

function writeCookie(http: HttpContext, secret: string, seconds: number): string {
  const parts = [
    `${cookieName(http.isSecure)}=${secret}`,
    "Path=/",
    `Max-Age=${seconds}`,
    "HttpOnly",
    "SameSite=Strict",
  ];
  return [...parts, ...(http.isSecure ? ["Secure"] : [])].join("; ");
}
