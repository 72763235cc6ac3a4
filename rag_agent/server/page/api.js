// What the page asks of the server: JSON, and events read from a POST.
const KEY = "rag-agent-token";
const client = crypto.randomUUID();
let askToken = async () => null;

export function onToken(ask) { askToken = ask; }

export function takeToken() {
  const found = /[#&]token=([^&]+)/.exec(location.hash);
  if (!found) return;
  sessionStorage.setItem(KEY, decodeURIComponent(found[1]));
  history.replaceState(null, "", location.pathname);
}

async function send(path, options = {}) {
  const headers = { "x-client-id": client, ...options.headers };
  const token = sessionStorage.getItem(KEY);
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) {
    const given = await askToken();
    if (given) { sessionStorage.setItem(KEY, given); return send(path, options); }
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    throw new Error(body.error || body.detail?.[0]?.msg || `${response.status} ${response.statusText}`);
  }
  return response;
}

const json = (method, body) => ({ method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
export const thread = (id) => `/api/threads/${encodeURIComponent(id)}`;
export const get = async (path) => (await send(path)).json();
export const text = async (path) => (await send(path)).text();
export const picture = async (path) => URL.createObjectURL(await (await send(path)).blob());
export const post = async (path, body, signal) => (await send(path, { ...json("POST", body), signal })).json();
export const patch = async (path, body) => (await send(path, json("PATCH", body))).json();
export const remove = async (path) => (await send(path, { method: "DELETE" })).json();

export async function upload(files) {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  return (await send("/api/documents", { method: "POST", body: form })).json();
}

export async function* events(path, body, signal) {
  const response = await send(path, { ...json("POST", body), signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const kind = /^event: (.*)$/m.exec(part)?.[1].trim();
      const data = [...part.matchAll(/^data: (.*)$/gm)].map((line) => line[1]).join("\n");
      if (kind && data) yield { event: kind, ...JSON.parse(data) };
    }
  }
}
