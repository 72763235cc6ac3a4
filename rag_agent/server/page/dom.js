// Elements from plain values. Text is always text: nothing that comes from a document can become markup.
export const $ = (id) => document.getElementById(id);

export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "heat") made.style.setProperty("--heat", value);
    else made.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const button = (label, act, more = {}) => h("button", { type: "button", class: "link", ...more, onclick: act }, label);

let told;
export function tell(message) {
  $("told").textContent = message;
  clearTimeout(told);
  told = setTimeout(() => { $("told").textContent = ""; }, 7000);
}

// One dialog for everything that is asked: resolves to the text, "" where none is wanted, or null.
export function dialog({ title, text = "", label = "", value = null, ok }) {
  const box = $("dialog"), input = $("dialog-input");
  $("dialog-title").textContent = title;
  $("dialog-text").textContent = text;
  $("dialog-label").textContent = label || title;
  $("dialog-ok").textContent = ok;
  input.hidden = value === null;
  input.value = value ?? "";
  box.returnValue = "";
  box.showModal();
  (value === null ? $("dialog-ok") : input).focus();
  return new Promise((done) => {
    box.onclose = () => done(box.returnValue === "ok" ? input.value.trim() : null);
  });
}
