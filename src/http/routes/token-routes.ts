// Tokens of the API: made, listed and revoked by admins. The text of one is told once.

import { createToken, listTokens, revokeToken } from "../../service/access/tokens.ts";
import { idParams } from "../contract/reading.ts";
import { tokenAnswer, tokenBody, tokensAnswer } from "../contract/token.ts";
import { defineRoute, type Route } from "../route.ts";

const list = defineRoute({
  method: "GET",
  path: "/api/v1/tokens",
  access: "admin",
  tag: "tokens",
  summary: "lists tokens, never their text",
  result: tokensAnswer,
  handle: async ({ http }) => ({
    json: { schema: "millrace.tokens/1" as const, tokens: await listTokens(http.mill) },
  }),
});

const create = defineRoute({
  method: "POST",
  path: "/api/v1/tokens",
  access: "admin",
  tag: "tokens",
  summary: "makes a token; its text is in this answer and nowhere else",
  // A stored reply would keep the text.
  idempotent: false,
  body: tokenBody,
  result: tokenAnswer,
  handle: async ({ body, http, actor }) => ({
    status: 201,
    json: {
      schema: "millrace.token/1" as const,
      token: await createToken(http.mill, { ...body, actor }),
    },
  }),
});

const revoke = defineRoute({
  method: "DELETE",
  path: "/api/v1/tokens/{id}",
  access: "admin",
  tag: "tokens",
  summary: "refuses a token from now on",
  params: idParams,
  result: tokenAnswer,
  handle: async ({ params, http, actor }) => ({
    json: {
      schema: "millrace.token/1" as const,
      token: await revokeToken(http.mill, params.id, { actor }),
    },
  }),
});

/** Routes of tokens. */
export const TOKEN_ROUTES: readonly Route[] = [list, create, revoke];
