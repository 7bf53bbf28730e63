// What scripts add to pages that work without them: each attribute `data-…` is served by one function here.
"use strict";

const PART = { "X-Coro-Part": "1" };

// Fetches a part of a page; where the session is over, the page itself is asked for again, which leads to sign-in. A form
// with what was typed stays: sending it leads there too, and loses nothing.
async function part(address) {
  const answer = await fetch(address, { headers: PART, credentials: "same-origin" });
  if (answer.status === 401 && !document.querySelector(".webhook-form")) location.reload();
  if (!answer.ok) throw new Error(`part: ${answer.status}`);
  return answer.text();
}

// data-opens="id": opens a dialog instead of following the link, whose title and address the dialog then shows and uses.
function opens(element) {
  element.addEventListener("click", (event) => {
    const dialog = document.getElementById(element.dataset.opens);
    if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    element.closest("[popover]")?.hidePopover();
    dialog.querySelectorAll("[data-filled]").forEach((part) => {
      if (part.dataset.filled === "title") part.textContent = element.dataset.title;
      else part.formAction = element.href;
    });
    dialog.showModal();
    dialog.dispatchEvent(new Event("opened"));
  });
}

// data-finds="id" data-part="address": shows the server's answer to what is typed, as it is typed.
function finds(form) {
  const target = document.getElementById(form.dataset.finds);
  const input = form.querySelector("input[type=search]");
  let latest = 0;
  let timer = 0;
  const look = async () => {
    const mine = ++latest;
    const html = await part(`${form.dataset.part}&search=${encodeURIComponent(input.value)}`).catch(() => null);
    if (html !== null && mine === latest) target.innerHTML = html;
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 150);
  });
  form.closest("dialog")?.addEventListener("opened", look);
}

// data-copy="text" data-done="Copied": a button that copies the text, or what stands before it.
function copies(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copyFrom ?? "");
    const source = field?.value ?? (button.dataset.copy || button.previousElementSibling.textContent);
    await navigator.clipboard.writeText(source);
    const label = button.querySelector("span");
    const before = label.textContent;
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 1500);
  });
}

// data-copyable: what can be copied gets a button for it.
function copyable(code) {
  const template = document.getElementById("copy-button");
  const button = template.content.firstElementChild.cloneNode(true);
  button.setAttribute("aria-label", `${button.getAttribute("aria-label")}: ${code.textContent.slice(0, 80)}`);
  code.after(button);
  copies(button);
}

// A form is sent once, however often its button is pressed.
function sendsOnce(form) {
  form.addEventListener("submit", () => {
    setTimeout(() => [...form.elements].filter((one) => one.tagName === "BUTTON").forEach((button) => { button.disabled = true; }));
  });
}

// data-polls="address": looks again until the answer has no such attribute.
function polls(element) {
  const EVERY_MS = 600;
  const MOST = 100;
  let looks = 0;
  const look = async () => {
    const html = await part(element.dataset.polls).catch(() => null);
    if (html === null || ++looks > MOST) {
      element.querySelector(".again")?.classList.add("slow");
      return;
    }
    const next = document.createElement("template");
    next.innerHTML = html;
    const found = next.content.querySelector(".probe");
    if (!found) return;
    if (found.dataset.polls) {
      setTimeout(look, EVERY_MS);
      return;
    }
    element.replaceWith(found);
    serve(found);
  };
  setTimeout(look, EVERY_MS);
}

// data-generates="id": fills a field with 32 bytes of chance, as the server would.
function generates(button) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const input = document.getElementById(button.dataset.generates);
    input.value = text;
    input.focus();
    input.select();
  });
}

// data-headers: rows are added and removed without asking the server.
function headers(fieldset) {
  const rows = fieldset.querySelector(".header-rows");
  const blank = fieldset.querySelector("template[data-row]");
  const adds = fieldset.querySelector("[data-adds]");
  const MOST = 20;
  const count = () => {
    [...rows.children].forEach((row, index) => {
      const [name, value] = row.querySelectorAll("input");
      name.id = `header-name-${index + 1}`;
      name.setAttribute("aria-label", name.getAttribute("aria-label").replace(/\d+/, index + 1));
      value.setAttribute("aria-label", value.getAttribute("aria-label").replace(/\d+/, index + 1));
      const button = row.querySelector("button");
      button.value = `remove-header-${index + 1}`;
      button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/\d+/, index + 1));
    });
    if (adds) adds.hidden = rows.children.length >= MOST;
  };
  fieldset.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    if (button === adds) {
      rows.append(blank.content.cloneNode(true));
      count();
      rows.lastElementChild.querySelector("input").focus();
    } else {
      button.closest(".header-row").remove();
      count();
      (rows.lastElementChild?.querySelector("input") ?? adds)?.focus();
    }
  });
}

// data-ticks="name": ticks all boxes of that name.
function ticks(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.form.querySelectorAll(`input[name=${button.dataset.ticks}]`).forEach((box) => { box.checked = true; });
  });
}

// data-sends-on-change: a choice counts at once.
function sendsOnChange(form) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

const SERVED = { opens, finds, copy: copies, copyable, polls, generates, headers, ticks, sendsOnChange };

function serve(root) {
  for (const [name, attach] of Object.entries(SERVED)) {
    const attribute = `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    root.querySelectorAll(`[${attribute}]`).forEach(attach);
    if (root.matches?.(`[${attribute}]`)) attach(root);
  }
  root.querySelectorAll("form[method=post]").forEach(sendsOnce);
}

document.documentElement.classList.add("scripted");
serve(document);
document.querySelector("[data-focus]")?.focus();
// Whoever comes back by the button Back finds the buttons as they were.
addEventListener("pageshow", () => document.querySelectorAll("button[disabled]").forEach((b) => { b.disabled = false; }));
