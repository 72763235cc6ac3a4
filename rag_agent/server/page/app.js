// The page: conversations at the left, turns in the middle, the panel at the right. The server does the rest.
import * as api from "./api.js";
import { $, button, dialog, h, tell } from "./dom.js";
import { language, speak, t } from "./messages.js";
import * as side from "./side.js";
import { draw, finish, turn } from "./turns.js";

let current = null, running = null, about = null, ready = false;

const newId = () => `web-${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}-${crypto.randomUUID().slice(0, 4)}`;
const guarded = (work) => async (...given) => { try { return await work(...given); } catch (error) { tell(error.message); } };

// --- conversations ---

async function listThreads() {
  const query = $("find").value.trim();
  const found = await api.get(`/api/threads${query ? `?search=${encodeURIComponent(query)}` : ""}`);
  $("thread-list").replaceChildren(...found.map((one) => h("li", { class: one.thread_id === current ? "current" : "" },
    h("button", { type: "button", title: one.title, "aria-current": one.thread_id === current ? "true" : null, onclick: () => go(one.thread_id) }, one.title),
    one.thread_id === current ? h("div", { class: "acts" },
      button(t("rename"), guarded(() => rename(one))), button(t("export"), guarded(() => download(one))), button(t("delete"), guarded(() => erase(one)))) : null)));
}

async function rename(one) {
  const title = await dialog({ title: t("rename_title"), value: one.title, ok: t("rename") });
  if (title === null) return;
  await api.patch(api.thread(one.thread_id), { title });
  await listThreads();
}

async function download(one) {
  const text = await api.text(`${api.thread(one.thread_id)}/export`);
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: `${one.thread_id}.json` });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function erase(one) {
  if (await dialog({ title: t("delete_title"), text: t("delete_text"), ok: t("delete") }) === null) return;
  await api.remove(api.thread(one.thread_id));
  begin();
}

function go(id) { location.hash = `#/t/${encodeURIComponent(id)}`; }

function begin() {
  if (location.hash.startsWith("#/t/")) history.pushState(null, "", location.pathname);
  open(null);
  $("question").focus();
}

async function open(id) {
  running?.abort();
  current = id;
  $("threads").classList.remove("open");
  $("open-threads").setAttribute("aria-expanded", "false");
  if (id === null) {
    $("turns").replaceChildren(h("div", { class: "empty" }, h("h2", {}, t("welcome")), h("p", {}, t("welcome_text"))));
  } else {
    const found = await api.get(api.thread(id)).catch((error) => { tell(error.message); return null; });
    if (found === null) return begin();
    if (current === id) show(found);
  }
  await guarded(listThreads)();
}

function show(found) {
  $("turns").replaceChildren(...found.turns.map(({ question, answer, stale }, n) => {
    const parts = turn(question, acts(n + 1, question, n + 1 === found.turns.length));
    finish(parts, answer, stale, () => ask(question));
    return parts.node;
  }));
  if (found.unfinished) {
    $("turns").append(h("p", { class: "stale" }, `${t("unfinished")} ${found.unfinished} `, button(t("ask_again"), () => ask(found.unfinished))));
  }
  $("turns").lastElementChild?.scrollIntoView({ block: "start" });
}

function acts(number, question, last) {
  return [
    [t("edit"), guarded(() => edit(number, question))],
    ...(last ? [] : [[t("rewind"), guarded(() => rewind(number))]]),
    [t("fork"), guarded(() => fork(number))],
  ];
}

async function edit(number, before) {
  const question = await dialog({ title: t("edit_title"), text: t("edit_text"), value: before, ok: t("ask") });
  if (!question) return;
  busy(true);
  try { await api.post(`${api.thread(current)}/edit`, { turn: number, question }); } finally { busy(false); }
  await open(current);
}

async function rewind(number) {
  if (await dialog({ title: t("rewind_title"), text: t("rewind_text"), ok: t("rewind") }) === null) return;
  await api.post(`${api.thread(current)}/rewind`, { turn: number });
  await open(current);
}

async function fork(number) {
  const id = newId();
  await api.post(`${api.thread(current)}/fork`, { new_id: id, turn: number });
  go(id);
  tell(t("forked"));
}

// --- asking ---

function busy(is) {
  $("send").hidden = is;
  $("stop").hidden = !is;
  document.body.toggleAttribute("aria-busy", is);
}

async function ask(question) {
  if (running) return;
  const id = current ?? newId();
  if (current === null) {
    $("turns").replaceChildren();
    current = id;
    history.pushState(null, "", `#/t/${encodeURIComponent(id)}`);
  }
  const parts = turn(question), stop = new AbortController();
  $("turns").append(parts.node);
  parts.node.scrollIntoView({ block: "start" });
  running = stop;
  busy(true);
  let answer = null;
  try {
    for await (const event of api.events("/api/ask/events", { question, thread_id: id }, stop.signal)) {
      if (event.event === "error") throw new Error(event.error);
      if (event.event === "answer") answer = event; else draw(parts, event);
    }
    if (answer === null) throw new Error(t("gone"));
    finish(parts, answer, {}, () => {});
    $("heard").textContent = t("answered", { text: answer.text });
  } catch (error) {
    const message = stop.signal.aborted ? t("stopped") : error.message;
    parts.steps.remove();
    parts.place.remove();
    parts.body.append(h("p", { class: "wrong" }, message, " ", button(t("ask_again"), () => { parts.node.remove(); ask(question); })));
  } finally {
    running = null;
    busy(false);
  }
  if (answer && current === id) await guarded(refresh)(id, parts);
}

// The acts of all turns, once the new one is stored.
async function refresh(id, parts) {
  const nodes = [...$("turns").querySelectorAll(".turn")];
  nodes.forEach((node, n) => node.querySelector(".acts").replaceChildren(
    ...acts(n + 1, node.querySelector("h2").textContent, n + 1 === nodes.length).map(([label, act]) => button(label, act))));
  await listThreads();
}

// --- documents ---

async function add(files) {
  const done = await api.upload(files);
  const lines = [...(done.stored.length ? [t("stored", { names: done.stored.join(", ") })] : []),
    ...done.refused.map((one) => t("refused", one))];
  tell(lines.join(" "));
  await status();
}

let looking;
async function status() {
  clearTimeout(looking);
  let wait = 1000;
  try {
    const now = await api.get("/api/status");
    const bad = now.state === "failed" || now.state === "empty";
    const told = { loading: t("loading"), ready: now.docs ? t("ready", now) : t("ready_chat"),
      indexing: now.total ? t("indexing", now) : t("indexing_start") }[now.state] ?? (now.state === "empty" ? `${t("empty_files")} ${now.message}` : now.message);
    if ($("status").textContent !== told) $("status").textContent = told;
    $("status").classList.toggle("bad", bad);
    if (now.state === "ready" || bad) wait = 10000;
    if (!ready && now.state !== "loading") { ready = true; guarded(listThreads)(); }
  } catch (error) {
    $("status").textContent = error.message;
    $("status").classList.add("bad");
  }
  looking = setTimeout(status, wait);
}

// --- wiring ---

function route() {
  const thread = /^#\/t\/(.+)$/.exec(location.hash), place = /^#\/d\/(.+)\/(\d+)-(\d+)$/.exec(location.hash);
  if (thread) return open(decodeURIComponent(thread[1]));
  open(null);
  if (place) guarded(side.show)(decodeURIComponent(place[1]), [{ start: Number(place[2]), end: Number(place[3]) }]);
}

function grow() {
  const box = $("question");
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
}

function wire() {
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = $("question").value.trim();
    if (!question || running) return;
    $("question").value = "";
    grow();
    ask(question);
  });
  $("question").addEventListener("input", grow);
  $("question").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("ask").requestSubmit(); }
  });
  $("stop").addEventListener("click", () => running?.abort());
  $("new").addEventListener("click", begin);
  $("find").addEventListener("input", guarded(listThreads));
  $("close").addEventListener("click", side.close);
  $("open-documents").addEventListener("click", guarded(() => side.documents(about, guarded(add))));
  $("open-about").addEventListener("click", () => side.aboutPanel(about));
  $("open-threads").addEventListener("click", () => {
    $("open-threads").setAttribute("aria-expanded", String($("threads").classList.toggle("open")));
  });
  $("import").addEventListener("change", guarded(async () => {
    const file = $("import").files[0];
    $("import").value = "";
    const { thread_id: id } = await api.post("/api/threads/import", { content: await file.text() });
    go(id);
  }));
  $("language").value = language();
  $("language").addEventListener("change", () => { speak($("language").value); status(); open(current); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || $("dialog").open) return;
    if ($("threads").classList.contains("open")) $("open-threads").click(); else side.close();
  });
  window.addEventListener("popstate", route);
  wireDrop();
}

function wireDrop() {
  let depth = 0;
  const has = (event) => about?.uploads && [...event.dataTransfer.types].includes("Files");
  window.addEventListener("dragenter", (event) => { if (has(event)) { depth += 1; $("drop").hidden = false; } });
  window.addEventListener("dragleave", (event) => { if (has(event) && (depth -= 1) <= 0) $("drop").hidden = true; });
  window.addEventListener("dragover", (event) => { if (has(event)) event.preventDefault(); });
  window.addEventListener("drop", guarded(async (event) => {
    if (!has(event)) return;
    event.preventDefault();
    depth = 0;
    $("drop").hidden = true;
    await add(event.dataTransfer.files);
  }));
}

api.takeToken();
api.onToken(() => dialog({ title: t("token_title"), label: t("token"), value: "", ok: t("send") }));
speak(language());
wire();
about = await api.get("/api/about").catch((error) => { tell(error.message); return { uploads: false, suffixes: [] }; });
status();
route();
