// Who asks, as far as access and audit care. Transports add how they knew it.

/** What a caller may do; each role includes the one before. */
export const ROLES = ["read", "operate", "admin"] as const;

/** Role of a token or session. */
export type Role = (typeof ROLES)[number];

/** Somebody who is known. */
export interface Identity {
  /** Name for audit: `token:default`, `token:ci`, `session:default`. */
  readonly actor: string;
  /** Of the token behind it; tells callers apart where names repeat. */
  readonly tokenId: string;
  readonly role: Role;
}

/** Whether a role includes another. */
export function includesRole(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed);
}

/** Whether the text names a role. */
export function isRole(text: unknown): text is Role {
  return ROLES.some((role) => role === text);
}
