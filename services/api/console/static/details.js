// What scripts add to the pages beyond the list of webhooks; `part` and `serve` are those of console.js.
"use strict";

// data-live="address": deliveries as they change. Rows are exchanged one by one, so that the focus stays where it is.
function live(body) {
  const section = body.closest("section");
  const state = section.querySelector("[data-live-state]");
  const word = state.querySelector("[data-live-word]");
  const empty = section.querySelector("[data-live-empty]");
  const told = section.querySelector("[data-live-told]");
  const on = word.textContent;
  const known = new Map();
  let isFirst = true;

  const show = (isOn) => {
    state.hidden = false;
    state.classList.toggle("off", !isOn);
    word.textContent = isOn ? on : state.dataset.off;
  };
  const made = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  };
  const update = (rows) => {
    const focused = document.activeElement?.closest?.(".grid-row")?.id;
    let fresh = 0;
    const wanted = rows.map(([id, html]) => {
      const present = document.getElementById(`delivery-${id}`);
      if (!present) fresh += 1;
      if (present && known.get(id) === html) return present;
      known.set(id, html);
      return made(html);
    });
    body.replaceChildren(...wanted);
    if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
    empty.hidden = rows.length > 0;
    if (fresh && !isFirst) told.textContent = fresh === 1 ? told.dataset.one : told.dataset.many.replace("{count}", fresh);
    isFirst = false;
  };

  let source = null;
  const open = () => {
    source = new EventSource(body.dataset.live);
    source.addEventListener("open", () => show(true));
    source.addEventListener("shown", (event) => update(JSON.parse(event.data)));
    source.addEventListener("error", () => show(false));
    source.addEventListener("over", () => { source.close(); show(false); });
  };
  // A page that nobody sees asks for nothing.
  const look = () => {
    if (document.hidden) source?.close();
    else open();
  };
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  document.addEventListener("visibilitychange", look);
  if (!document.hidden) open();
}

// data-follows="address": shows how something goes on, until the answer has no such attribute.
function follows(element) {
  const EVERY_MS = 1000;
  const look = async () => {
    if (!element.isConnected) return;
    if (document.hidden) { setTimeout(look, EVERY_MS); return; }
    const html = await part(element.dataset.follows).catch(() => null);
    if (html === null) {
      element.querySelectorAll(".again").forEach((one) => one.classList.remove("again"));
      return;
    }
    const template = document.createElement("template");
    template.innerHTML = html;
    const next = template.content.querySelector(".follow");
    if (!next) return;
    if (next.outerHTML !== element.dataset.was && !element.contains(document.activeElement)) {
      next.dataset.was = next.outerHTML;
      element.replaceWith(next);
      serve(next);
      follow(next);
    } else if (next.dataset.follows) {
      setTimeout(look, EVERY_MS);
    }
  };
  setTimeout(look, EVERY_MS);
}

// data-copies="id": copies the text of another element.
function copiesText(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    const label = button.querySelector("span");
    const before = label.textContent;
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 1500);
  });
}

function follow(root) {
  if (root.matches?.("[data-follows]")) follows(root);
  root.querySelectorAll("[data-follows]").forEach(follows);
}

document.querySelectorAll("[data-live]").forEach(live);
document.querySelectorAll("[data-copies]").forEach(copiesText);
// data-pops-up: a dialog that opens by itself.
document.querySelectorAll("dialog[data-pops-up]").forEach((dialog) => dialog.showModal());
follow(document);
