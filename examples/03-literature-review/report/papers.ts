// The papers themselves: what each one says, on which page, and what the judges made of it.
import { SCORE_NAMES } from "../judge/composite.ts";
import type { JudgedClaim } from "../judge/judge-claim.ts";
import type { Literature, PaperEntry } from "../output/literature.ts";
import { toClaimsId, toPaperId } from "./anchor.ts";
import { count, html } from "./markup.ts";
import type { Content, Markup } from "./markup.ts";

/** What could not be read, or needed no reading, with the reason. */
export function drawUnread(papers: readonly PaperEntry[]): Markup {
  return html`<ul class="unread">
    ${papers.map(
      ({ paper, status, reason }) =>
        html`<li>
          <span class="verdict ${status === "failed" ? "fail" : "skip"}"
            >${status === "failed" ? "✕ failed" : "– skipped"}</span
          >
          <strong>${paper}</strong>
          <span>${reason === "no_text" ? "holds no text: a scan, or nothing" : reason}</span>
        </li>`,
    )}
  </ul>`;
}

/** A part per paper. */
export function drawPapers({ papers, claims }: Literature): Markup {
  const read = papers.filter(({ status }) => status === "reviewed");
  return html`${read.map((entry) => {
    const own = claims.filter(({ paper }) => paper === entry.paper);
    return drawPaper(entry, own, papers);
  })}`;
}

function drawPaper(
  entry: PaperEntry,
  claims: readonly JudgedClaim[],
  papers: readonly PaperEntry[],
): Markup {
  const { paper, title, authors, year, pages, sentences } = entry;
  const approved = claims.filter(({ verdict }) => verdict === "approved");
  const rejected = claims.filter(({ verdict }) => verdict === "rejected");
  const facts = [
    paper,
    authors,
    year === null ? "year unknown" : `about ${year}`,
    count(pages, "page"),
    `${count(sentences, "sentence")} read`,
  ].filter((fact) => fact !== "");
  const places = new Set<string>();
  const draw = (claim: JudgedClaim): Markup => {
    const id = toClaimsId(papers, paper, claim.requirement);
    const isFirst = !places.has(id);
    places.add(id);
    return drawClaim(claim, isFirst ? id : undefined);
  };
  return html`<article id="${toPaperId(papers, paper)}">
    <h3>${title === "" ? paper : title}</h3>
    <p class="facts">${facts.join(" · ")}</p>
    ${drawStrip(pages, approved)}
    ${
      approved.length > 0
        ? html`<ol class="claims">
            ${approved.map(draw)}
          </ol>`
        : html`<p class="none">No claim of this paper was approved.</p>`
    }
    ${
      rejected.length > 0 &&
      html`<details>
        <summary>${count(rejected.length, "rejected claim")}</summary>
        <ol class="claims">
          ${rejected.map(draw)}
        </ol>
      </details>`
    }
  </article>`;
}

/** The paper as a row of pages. */
function drawStrip(pages: number, approved: readonly JudgedClaim[]): Markup {
  const counts = Array.from({ length: pages }, (_, index) => {
    return approved.filter(({ page }) => page === index + 1).length;
  });
  const most = Math.max(1, ...counts);
  return html`<div
    class="strip"
    role="img"
    aria-label="${count(approved.length, "approved claim")}"
  >
    ${counts.map((number, index) => {
      const shade = number === 0 ? 0 : 25 + Math.round((75 * number) / most);
      const what = `page ${index + 1}: ${count(number, "claim")}`;
      return html`<i style="--shade:${shade}%" title="${what}"></i>`;
    })}
  </div>`;
}

function drawClaim(claim: JudgedClaim, id: string | undefined): Markup {
  const { requirement, page, section, sentence, terms, scores, composite, verdict } = claim;
  const isApproved = verdict === "approved";
  const judged = claim.appealed ? "on appeal" : claim.judges === 3 ? "by three judges" : "";
  return html`<li ${id !== undefined && html`id="${id}"`}>
    <span class="where"><b>p. ${page}</b> <span class="id">${requirement}</span></span>
    <div class="said">
      <p>${markTerms(sentence, terms)}</p>
      ${section !== "" && html`<small>${section}</small>`}
    </div>
    <span
      class="bars"
      role="img"
      aria-label="${SCORE_NAMES.map((name) => `${name} ${scores[name]}`).join(", ")}"
    >
      ${SCORE_NAMES.map((name) => {
        const share = scores[name] / SCORE_MAX[name];
        const title = `${name} ${scores[name]} of ${SCORE_MAX[name]}`;
        return html`<i style="--share:${(share * 100).toFixed(0)}%" title="${title}"></i>`;
      })}
    </span>
    <span class="judged">
      <span class="verdict ${isApproved ? "pass" : "fail"}"
        >${isApproved ? "✓" : "✕"} ${composite.toFixed(2)}</span
      >
      <small>${judged}</small>
    </span>
  </li>`;
}

const SCORE_MAX: Readonly<Record<(typeof SCORE_NAMES)[number], number>> = {
  strength: 5,
  rigor: 5,
  relevance: 5,
  directness: 3,
  recency: 1,
  reproducibility: 1,
};

/** A sentence with the terms that made it a claim. */
function markTerms(sentence: string, terms: readonly string[]): Content {
  const longestFirst = [...terms].sort((one, other) => other.length - one.length);
  const pattern = longestFirst.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  if (pattern === "") return sentence;
  const parts = sentence.split(new RegExp(`(${pattern})`, "i"));
  return parts.map((part, index) => (index % 2 === 1 ? html`<mark>${part}</mark>` : part));
}
