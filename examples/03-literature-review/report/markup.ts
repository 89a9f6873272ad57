// HTML as values. Whatever is put into a template is text and is escaped, unless it is markup already: a
// file name cannot become a tag, whoever chose it.

/** A piece of HTML that is safe to show. Made by `html` alone. */
export interface Markup {
  readonly markup: string;
}

/** What a template may hold: text, numbers, markup, or lists of them. `undefined` and false show nothing. */
export type Content = string | number | Markup | undefined | false | readonly Content[];

/** A template whose holes are escaped. */
export function html(parts: TemplateStringsArray, ...holes: readonly Content[]): Markup {
  const filled = holes.map((hole, index) => render(hole) + (parts[index + 1] ?? ""));
  return { markup: (parts[0] ?? "") + filled.join("") };
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function render(content: Content): string {
  if (content === undefined || content === false) return "";
  if (typeof content === "object") {
    return "markup" in content ? content.markup : content.map(render).join("");
  }
  return String(content).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** "1 paper", "3 papers". */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
