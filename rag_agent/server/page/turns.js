// A turn as it is drawn: the question, the steps while it runs, the answer with its standing, the quotes beside it.
import * as side from "./side.js";
import { button, h, tell } from "./dom.js";
import { t } from "./messages.js";

export function turn(question, acts = []) {
  const steps = h("ol", { class: "steps" }), found = h("div", { class: "found" }), body = h("div", { class: "answer" });
  const place = h("p", { class: "found", hidden: true });
  const bar = h("div", { class: "acts" }, acts.map(([label, act]) => button(label, act)));
  const node = h("article", { class: "turn" }, h("h2", {}, question), bar, place, steps, found, body);
  return { node, steps, found, body, place };
}

export function draw(parts, event) {
  parts.place.hidden = event.event !== "waiting";
  if (event.event === "waiting") parts.place.textContent = t("waiting", { place: event.place });
  if (event.event === "step") step(parts.steps, event);
  if (event.event === "quote") {
    if (!parts.found.childElementCount) parts.found.append(h("p", {}, t("found")));
    parts.found.append(h("ul", { class: "sources" }, h("li", {}, h("q", {}, event.text))));
  }
  if (event.event === "sentence") parts.body.append(h("p", { class: event.standing ?? "" }, event.text));
  if (event.event === "token") {
    if (!parts.body.firstChild) parts.body.append(h("p"));
    parts.body.firstChild.append(event.text);
  }
}

function step(steps, { node, ended }) {
  const known = [...steps.children].findLast((one) => one.textContent === node);
  if (ended) known?.setAttribute("class", "past");
  else steps.append(h("li", { class: "now" }, node));
}

export function finish(parts, answer, stale, again) {
  parts.steps.remove(); parts.found.remove(); parts.place.remove();
  parts.body.replaceChildren(
    ...Object.entries(stale).map(([file, fate]) => h("p", { class: "stale" }, `${t(`stale_${fate}`, { file })} `, button(t("ask_again"), again))),
    ...text(answer),
    sources(answer),
    answer.left_out.length ? h("details", { open: answer.refused }, h("summary", {}, t("left_out", { count: answer.left_out.length })),
      h("ul", {}, answer.left_out.map((one) => h("li", {}, one)))) : "",
    answer.kind === "chat" ? "" : h("p", { class: "acts" }, button(t("inside"), () => side.inspect(answer).catch((error) => tell(error.message)))));
}

// The answer's own words; where they are its sentences, each with how it stands.
function text(answer) {
  const bare = (words) => flat(words.replace(/\s*\[\d+\]/g, ""));
  const rows = answer.sentences.map((one) => ({ ...one, bare: bare(one.text) }));
  if (!rows.length || bare(answer.text) !== rows.map((one) => one.bare).join(" ").trim()) {
    const standing = answer.sentences[0]?.standing;
    const lines = answer.text.split(/\n{2,}/).filter((line) => line.trim());
    return lines.map((line) => {
      const own = rows.find((one) => one.bare && bare(line).startsWith(one.bare));
      const how = own?.standing ?? (rows.length ? null : standing);
      return h("p", { class: answer.refused ? "refusal" : how ?? "" }, linked(line, answer), how ? badge(how) : null);
    });
  }
  return rows.map((one) => h("p", { class: one.standing }, one.text, " ",
    one.citations.map((n) => cite(answer, n)), badge(one.standing)));
}

function linked(line, answer) {
  return line.split(/(\[\d+\])/).map((part) => {
    const n = /^\[(\d+)\]$/.exec(part)?.[1];
    return n && answer.citations[n - 1] ? cite(answer, n - 1) : document.createTextNode(part);
  });
}

const badge = (standing) => h("span", { class: `standing ${standing}`, title: t(`${standing}_title`) }, t(standing));
const cite = (answer, n) => button(`[${n + 1}]`, () => openSource(answer, n), { "aria-label": `${t("sources")} ${n + 1}: ${answer.citations[n].file}` });

async function openSource(answer, n) {
  const chosen = answer.citations[n];
  const others = answer.citations.filter((one) => one !== chosen && one.file === chosen.file);
  try {
    await side.show(chosen.file, [chosen, ...others], await side.looked(answer));
  } catch (error) { tell(error.message); }
}

// Where each quote stands; its words, too, where the answer does not show them already.
function sources(answer) {
  if (!answer.citations.length) return "";
  const shown = flat(answer.text.replace(/\s*\[\d+\]/g, ""));
  return h("ul", { class: "sources", "aria-label": t("sources") }, answer.citations.map((one, n) => {
    const where = [one.file, one.page ? t("page", { page: one.page }) : "", one.section].filter(Boolean).join(" · ");
    const card = button(h("span", { class: "where" }, `[${n + 1}] ${where}`), () => openSource(answer, n), { class: "" });
    if (!shown.includes(flat(one.quote))) card.append(h("q", {}, one.quote));
    return h("li", {}, card);
  }));
}

const flat = (words) => words.replace(/\s+/g, " ").trim();
