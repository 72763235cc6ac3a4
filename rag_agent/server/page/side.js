// The panel at the side: a document with its quotes marked, the list of documents, what answers, and the inspector.
import * as api from "./api.js";
import { $, button, h, tell } from "./dom.js";
import { t } from "./messages.js";

let before = null;

export function open(title, ...content) {
  if ($("side").hidden) before = document.activeElement;
  $("side").hidden = false;
  $("side-title").textContent = title;
  $("side-body").replaceChildren(...content.flat());
  $("side-body").scrollTop = 0;
  $("side-title").focus();
}

export function close() {
  if ($("side").hidden) return;
  $("side").hidden = true;
  $("side-body").replaceChildren();
  if (before?.isConnected) before.focus();
}

const path = (file) => file.split("/").map(encodeURIComponent).join("/");

// quotes: citations of this file, the first is scrolled to; looked: passages that the answer looked at.
export async function show(file, quotes, looked = []) {
  const found = await api.get(`/api/documents/${path(file)}`);
  const own = looked.filter((hit) => hit.file === file);
  const text = h("div", {}, own.length ? h("p", { class: "found" }, t("looked")) : null, h("pre", {}, marked(found.text, quotes, own)));
  const page = quotes[0]?.page;
  if (!found.pictures || !page) {
    open(file, text);
    reveal(text);
    return;
  }
  const place = h("div");
  const choose = (kind) => {
    place.replaceChildren(kind === "text" ? text : h("p", {}, "…"));
    if (kind === "text") reveal(text); else draw(place, file, page, quotes);
  };
  const tabs = h("p", {}, button(t("picture"), () => choose("picture")), button(t("text"), () => choose("text")));
  open(`${file}, ${t("page", { page })}`, tabs, place);
  choose("picture");
}

async function draw(place, file, page, quotes) {
  const asked = quotes.filter((one) => one.page === page).slice(0, 20).map((one) => `quote=${encodeURIComponent(one.quote.slice(0, 2000))}`);
  try {
    const src = await api.picture(`/api/pages/${page}/${path(file)}?${asked.join("&")}`);
    place.replaceChildren(h("img", { src, alt: quotes[0].quote }));
  } catch (error) {
    place.replaceChildren(h("p", { class: "wrong" }, error.message));
  }
}

// Offsets count characters as Python does; JavaScript counts those beyond the first plane twice.
function marked(text, quotes, looked) {
  const letters = /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
  const piece = (from, to) => (typeof letters === "string" ? letters.slice(from, to) : letters.slice(from, to).join(""));
  const best = Math.max(...looked.map((hit) => hit.score), 1e-9);
  const cuts = [...new Set([0, letters.length, ...[...quotes, ...looked].flatMap((one) => [one.start, one.end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((to, n) => {
    const from = cuts[n], holds = (one) => one.start <= from && to <= one.end;
    if (quotes.some(holds)) return h("mark", {}, piece(from, to));
    const heat = Math.max(0, ...looked.filter(holds).map((hit) => hit.score / best));
    return heat ? h("span", { class: "looked", heat: heat.toFixed(2) }, piece(from, to)) : document.createTextNode(piece(from, to));
  });
}

const reveal = (text) => requestAnimationFrame(() => text.querySelector("mark")?.scrollIntoView({ block: "center" }));

export async function documents(about, add) {
  const files = await api.get("/api/documents").catch(() => []);
  const status = await api.get("/api/status");
  const rows = files.map((one) => h("tr", {},
    h("td", {}, button(one.file, () => show(one.file, []))),
    h("td", {}, one.size === null ? "" : `${Math.ceil(one.size / 1024)} kB`),
    h("td", {}, one.changed ? new Date(one.changed).toLocaleDateString() : "")));
  const input = h("input", { type: "file", multiple: true, id: "files", accept: about.suffixes.join(","), onchange: () => add(input.files) });
  open(t("documents"),
    about.uploads ? h("p", {}, h("label", { for: "files" }, `${t("add")} `), input) : null,
    h("p", {}, button(t("reindex"), async () => { await api.post("/api/index?full=true", {}); tell(t("indexing_start")); }, { class: "" })),
    files.length ? h("table", {}, h("thead", {}, h("tr", {}, ...["file", "size", "changed"].map((name) => h("th", { scope: "col" }, t(name))))), h("tbody", {}, rows))
      : h("p", {}, t("empty_files")),
    status.not_read.length ? h("details", {}, h("summary", {}, t("not_read", { count: status.not_read.length })),
      h("ul", {}, status.not_read.map((one) => h("li", {}, `${one.file}: ${one.why}`)))) : null);
}

export function aboutPanel(about) {
  const rows = { model: about.model, embeddings: about.embeddings, documents: about.docs ?? "—", answer: about.answer, judge: about.judge,
    passages: about.k, threshold: about.refusal_threshold, version: about.version };
  open(t("about"), h("dl", {}, Object.entries(rows).flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, String(value))])));
}

export async function inspect(answer) {
  const seconds = Object.entries(answer.timings).map(([node, spent]) => `${node} ${spent.toFixed(2)} s`).join(", ");
  const tokens = Object.entries(answer.usage).map(([name, count]) => `${name.replace("_tokens", "")} ${count}`).join(", ");
  const facts = { searched: answer.query, likely: answer.evidence?.toFixed(2), model: answer.model, time: seconds, tokens };
  const rows = Object.entries(facts).filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)]);
  const ranking = h("div");
  const hits = answer.query ? await looked(answer) : [];
  open(t("inside"), h("dl", {}, rows),
    hits.length ? h("h3", {}, t("passages")) : null,
    h("ol", {}, hits.map((hit) => h("li", {}, button(`${hit.file}, ${hit.start}–${hit.end}`, () => show(hit.file, [hit], hits)), ` ${hit.score.toFixed(2)}`))),
    answer.query ? h("p", {}, button(t("explain"), () => rank(ranking, answer.query), { class: "" })) : null, ranking);
}

async function rank(place, question) {
  const found = await api.get(`/api/explain?question=${encodeURIComponent(question)}`);
  const units = found.units.slice(0, 15).map((unit) => h("tr", {},
    h("td", {}, `${unit.chosen ? "✓ " : ""}${(100 * unit.chance).toFixed(1)} %`),
    h("td", {}, unit.text, unit.withheld ? h("p", { class: "wrong" }, t("withheld", { why: unit.withheld })) : null)));
  place.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("chance")), h("th", { scope: "col" }, t("unit")))), h("tbody", {}, units)),
    h("details", {}, h("summary", {}, t("reader")), h("pre", {}, found.passages.map((one) => `[${one.number}] ${one.context}\n${one.text}`).join("\n\n"))));
}

// Stored turns keep no passages: they are searched for anew.
export async function looked(answer) {
  if (answer.context.length || !answer.query) return answer.context;
  answer.context = await api.get(`/api/search?query=${encodeURIComponent(answer.query)}`).catch(() => []);
  return answer.context;
}
