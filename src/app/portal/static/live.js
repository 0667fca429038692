// Keeps open pages up to date: by events, and where those do not come through, by asking.

import { toast } from "./toast.js";

const ASK_EVERY_MS = 4000;
const GIVE_UP_AFTER = 3;
let known = null;
let failed = 0;
let asking = false;
let askAgain = false;
const shown = new WeakMap();
let timer;

async function refresh() {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  try {
    await Promise.all([look(), redraw()]);
  } finally {
    asking = false;
  }
  if (askAgain) {
    askAgain = false;
    await refresh();
  }
}

async function look() {
  const response = await fetch("/live/newest").catch(() => null);
  if (!response || !response.ok || response.redirected) return false;
  const told = await response.json();
  const mark = `${told.id} ${told.status}`;
  const isNews = known !== null && mark !== known;
  known = mark;
  if (isNews && told.status !== "in progress") toast(told.sentence, told.href);
  return isNews;
}

// What is shown is what the server shows: the same page again, and only its live parts are taken.
async function redraw() {
  const parts = document.querySelectorAll("[data-live]");
  if (!parts.length) return;
  const response = await fetch(location.href).catch(() => null);
  if (!response || !response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts) {
    const fresh = page.getElementById(part.id);
    if (!fresh || fresh.innerHTML === shown.get(part)) continue;
    if (part.contains(document.activeElement) && document.activeElement.matches("input, select, button")) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    shown.set(part, fresh.innerHTML);
    part.replaceChildren(...fresh.childNodes);
    dispatchEvent(new CustomEvent("redrawn", { detail: part }));
    if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
}

function askByYourself() {
  clearInterval(timer);
  timer = setInterval(async () => {
    if (!document.hidden && (await look())) redraw();
  }, ASK_EVERY_MS);
}

function listen() {
  if (!window.EventSource) return askByYourself();
  const source = new EventSource("/live");
  source.addEventListener("open", () => {
    if (failed) refresh();
    failed = 0;
    clearInterval(timer);
  });
  source.addEventListener("changed", refresh);
  source.addEventListener("over", () => {
    source.close();
    location.reload();
  });
  source.addEventListener("error", () => {
    failed += 1;
    if (source.readyState === EventSource.CLOSED) askByYourself();
    else if (failed === GIVE_UP_AFTER) askByYourself();
  });
  addEventListener("pagehide", () => source.close());
}

look();
listen();
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
