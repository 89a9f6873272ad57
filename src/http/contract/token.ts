// Tokens: who may ask, and as what. Their text is told once.

import * as z from "zod";
import { schemaField, type Document } from "./document.ts";
import { idText } from "./reading.ts";
import { timeValue } from "./run.ts";

const ROLES = ["read", "operate", "admin"] as const;
type Role = (typeof ROLES)[number];

/** A token, without its text. */
export interface Token {
  readonly name: string;
  readonly role: Role;
  readonly state: "active" | "expired" | "revoked";
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
}

const tokenFields = {
  name: z.string(),
  role: z.enum(ROLES),
  state: z.enum(["active", "expired", "revoked"]),
  createdAt: timeValue,
  createdBy: z.string(),
  expiresAt: timeValue.exactOptional(),
  revokedAt: timeValue.exactOptional(),
};

const token: z.ZodType<Token> = z.object(tokenFields).meta({ id: "Token" });

/** What a token is made with. */
export interface TokenBody {
  readonly name: string;
  readonly role: Role;
  readonly expiresInMs?: number;
}

/** What a token is made with. */
export const tokenBody: z.ZodType<TokenBody> = z.strictObject({
  name: idText,
  role: z.enum(ROLES),
  expiresInMs: z.number().int().min(1_000).exactOptional().meta({
    description: "Default: until it is revoked.",
  }),
});

/** All tokens. */
export interface TokensAnswer extends Document<"tokens"> {
  readonly tokens: readonly Token[];
}

/** All tokens. */
export const tokensAnswer: z.ZodType<TokensAnswer> = z
  .object({ ...schemaField("tokens"), tokens: z.array(token) })
  .meta({ id: "Tokens" });

/** One token. */
export interface TokenAnswer extends Document<"token"> {
  readonly token: Token & { readonly token?: string };
}

/** One token; a fresh one with its text, which cannot be shown again. */
export const tokenAnswer: z.ZodType<TokenAnswer> = z
  .object({
    ...schemaField("token"),
    token: z.object({
      ...tokenFields,
      token: z.string().exactOptional().meta({ description: "Of a fresh one: its text, once." }),
    }),
  })
  .meta({ id: "OneToken" });
