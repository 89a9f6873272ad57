// `report.html`: one file that asks the network for nothing and runs no script. It says first how well the
// requirements are covered, then where they are not, then what every paper says and on which page.
import { SEVERITIES } from "../evidence/gaps.ts";
import type { Literature } from "../output/literature.ts";
import { drawGaps, drawSeverity } from "./gaps.ts";
import { drawHeatMap } from "./heat-map.ts";
import { count, html } from "./markup.ts";
import type { Content, Markup } from "./markup.ts";
import { drawPapers, drawUnread } from "./papers.ts";
import { drawMatrix, drawScorecard } from "./scorecard.ts";
import { STYLE } from "./style.ts";

/** The whole page. Equal input gives equal bytes. */
export function drawReport(literature: Literature): string {
  const { title } = literature.tree;
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta
        http-equiv="Content-Security-Policy"
        content="default-src 'none'; style-src 'unsafe-inline'"
      />
      <meta name="color-scheme" content="light dark" />
      <title>${title}: literature review</title>
      <style>
        ${{ markup: STYLE }}
      </style>
    </head>
    <body>
      <main>${drawHeader(literature)} ${drawSections(literature)}</main>
    </body>
  </html>`;
  return `<!doctype html>\n${page.markup.replace(/\s*\n\s*/g, "\n").trim()}\n`;
}

function drawHeader({ tree, papers, claims, scorecard, gaps }: Literature): Markup {
  const read = papers.filter(({ status }) => status === "reviewed");
  const pages = read.reduce((sum, paper) => sum + paper.pages, 0);
  const approved = claims.filter(({ verdict }) => verdict === "approved");
  const appealed = approved.filter((claim) => claim.appealed).length;
  const all = gaps.flatMap(({ requirements }) => requirements);
  return html`<header>
    <div>
      <p class="over">Literature review, as of ${tree.asOf}</p>
      <h1>${tree.title}</h1>
      <p class="lead">
        ${count(read.length, "paper")} with ${count(pages, "page")} against
        ${count(all.length, "requirement")}: ${count(claims.length, "claim")} found,
        ${approved.length} approved${appealed > 0 && `, ${appealed} of them on appeal`}.
      </p>
      <p class="tally">
        ${SEVERITIES.map((severity) => {
          const number = all.filter((gap) => gap.severity === severity).length;
          return number > 0 && html`<span>${drawSeverity(severity)} ${number}</span>`;
        })}
      </p>
    </div>
    ${drawRing(scorecard.score, scorecard.tier)}
  </header>`;
}

function drawRing(score: number, tier: string): Markup {
  const length = 2 * Math.PI * 52;
  return html`<svg
    class="ring"
    viewBox="0 0 120 120"
    role="img"
    aria-label="Overall ${score.toFixed(0)} of 100: ${tier}"
  >
    <circle cx="60" cy="60" r="52" />
    ${
      score > 0 &&
      html`<circle
        class="value"
        cx="60"
        cy="60"
        r="52"
        stroke-dasharray="${((length * score) / 100).toFixed(1)} ${length.toFixed(1)}"
      />`
    }
    <text x="60" y="64">${score.toFixed(0)}</text>
    <text class="unit" x="60" y="82">${tier}</text>
  </svg>`;
}

function drawSections(literature: Literature): Content {
  const { papers, gaps, scorecard, matrix, versions, tree } = literature;
  const unread = papers.filter(({ status }) => status !== "reviewed");
  return [
    unread.length > 0 &&
      section("What was not read", "The rest of the report leaves these out.", drawUnread(unread)),
    section(
      "Scorecard",
      "Of 100 points, 60 are for completeness, 25 for the quality of approved claims, 15 for requirements that two papers support. Strong from 80, sound from 60, thin from 40, weak below.",
      drawScorecard(scorecard),
    ),
    section(
      "Where the evidence is",
      "Each cell counts the approved claims of a paper; the stronger its colour, the more its best one is worth after its age. A ring is a paper that speaks to the requirement without a claim that was approved.",
      drawHeatMap(gaps, papers),
    ),
    section(
      "Gaps to close",
      "Worst first. Under 30 % is critical, under 50 high, under 70 medium, under 80 low.",
      drawGaps(gaps, tree),
    ),
    section(
      "Quantity and quality",
      "How many claims were approved, and how good they are: the mean composite is fair under 3.2, good under 3.3, high above.",
      drawMatrix(matrix, gaps),
    ),
    section(
      "What the papers say",
      "The strip under a title is the paper, page by page, its colour stronger where more was approved. Six bars a claim: strength, rigor, relevance, directness, recency, reproducibility.",
      drawPapers(literature),
    ),
    versions.length > 0 && section("History of the database", undefined, drawVersions(versions)),
  ];
}

function drawVersions(versions: Literature["versions"]): Markup {
  return html`<ol class="versions">
    ${versions.toReversed().map(({ version, added, changed, removed }) => {
      const parts = [
        added > 0 && `${added} added`,
        changed > 0 && `${changed} changed`,
        removed > 0 && `${removed} removed`,
      ].filter((part) => part !== false);
      return html`<li><strong>Version ${version}</strong> <span>${parts.join(", ")}</span></li>`;
    })}
  </ol>`;
}

function section(title: string, lead: string | undefined, body: Markup): Markup {
  return html`<section>
    <h2>${title}</h2>
    ${lead !== undefined && html`<p class="hint">${lead}</p>`} ${body}
  </section>`;
}
