// A card's page: its number in Stripe's frames for a minute, and changes that show at once.

import { stripeOf } from "./stripe.js";
import { toast } from "./toast.js";

const SHOWN_SECONDS = 60;
const PATIENCE_SECONDS = 15;
const box = document.querySelector("[data-reveal]");
const left = box.querySelector("[data-left]");
const problem = box.querySelector("[data-problem]");
const copies = box.querySelector("[data-copies]");
const show = box.querySelector("[data-show]");
const all = (name) => document.querySelectorAll(`[data-${name}]`);
let made = [];
let timer;
let patience;

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

function open(isOpen) {
  for (const one of all("masked")) one.hidden = isOpen;
  for (const one of all("secret")) one.hidden = !isOpen;
  copies.hidden = left.hidden = !isOpen;
  show.hidden = isOpen;
}

function hide() {
  clearInterval(timer);
  clearTimeout(patience);
  for (const element of made) element.destroy();
  made = [];
  open(false);
}

function count() {
  let seconds = SHOWN_SECONDS;
  left.textContent = `Hidden again in ${seconds} s.`;
  timer = setInterval(() => {
    seconds -= 1;
    left.textContent = `Hidden again in ${seconds} s.`;
    if (seconds <= 0) hide();
  }, 1000);
}

async function keyFor(nonce) {
  const { action, token } = box.dataset;
  const body = new URLSearchParams({ form_token: token, nonce });
  const response = await fetch(action, { method: "POST", body }).catch(() => null);
  const told = await response?.json().catch(() => null);
  if (told?.password) location.assign(told.password);
  else if (!told?.secret) say(told?.problem ?? "That did not work. Reload the page and try again.");
  return told?.secret;
}

// Stripe's frames say when they are there, and nothing where they could not be filled.
function giveUpLater() {
  patience = setTimeout(() => {
    hide();
    say("Stripe did not show the number. Try again in a minute.");
  }, PATIENCE_SECONDS * 1000);
}

function mount(stripe, nonce, ephemeralKeySecret) {
  giveUpLater();
  const issuingCard = box.dataset.card;
  const elements = stripe.elements();
  const style = { base: { color: "#ffffff", fontSize: "18px", lineHeight: "26px" } };
  let waiting = 3;
  for (const [kind, name] of [["Number", "number"], ["Expiry", "expiry"], ["Cvc", "cvc"]]) {
    const element = elements.create(`issuingCard${kind}Display`, { issuingCard, nonce, ephemeralKeySecret, style });
    element.on("ready", () => {
      waiting -= 1;
      if (waiting > 0) return;
      clearTimeout(patience);
      count();
    });
    element.mount(document.querySelector(`[data-display=${name}]`));
    const copy = elements.create("issuingCardCopyButton", { toCopy: name, style: { base: { fontSize: "12px", lineHeight: "36px" } } });
    copy.on("click", () => toast(`Copied: ${name === "cvc" ? "the code" : `the ${name}`}.`));
    copy.mount(document.querySelector(`[data-copy=${name}]`));
    made.push(element, copy);
  }
}

async function reveal() {
  say("");
  show.disabled = true;
  const stripe = stripeOf(box.dataset.key);
  if (!stripe) say("Stripe's script could not be loaded. Reload the page; a content blocker may be in the way.");
  else {
    const { nonce, error } = await stripe.createEphemeralKeyNonce({ issuingCard: box.dataset.card });
    if (error) say(error.message);
    else {
      const secret = await keyFor(nonce);
      if (secret) {
        open(true);
        mount(stripe, nonce, secret);
      }
    }
  }
  show.disabled = false;
}

show?.addEventListener("click", reveal);
addEventListener("pagehide", hide);
box.querySelector("[data-hide]").addEventListener("click", () => {
  hide();
  show.focus();
});

// --- Changes that are shown before the server has answered, and taken back when it says no --------

function pretend(form) {
  const kind = form.dataset.atOnce;
  if (kind === "name") {
    const before = document.querySelector("h1[data-nickname]").textContent;
    const put = (name) => all("nickname").forEach((one) => { one.textContent = name; });
    put(form.elements.nickname.value.trim() || before);
    return () => put(before);
  }
  const face = document.querySelector(".face[data-state]");
  const before = face.dataset.state;
  face.dataset.state = kind;
  return () => { face.dataset.state = before; };
}

function swap(page) {
  hideIfOpen();
  for (const part of all("swap")) {
    const fresh = page.getElementById(part.id);
    if (fresh) part.replaceChildren(...fresh.childNodes);
  }
  listen();
}

const hideIfOpen = () => made.length && hide();

function listen() {
  for (const form of document.querySelectorAll("form[data-at-once]")) {
    if (form.dataset.heard) continue;
    form.dataset.heard = "yes";
    form.addEventListener("submit", (event) => send(event, form));
  }
}

async function send(event, form) {
  event.preventDefault();
  const undo = pretend(form);
  const body = new URLSearchParams(new FormData(form));
  const response = await fetch(form.action, { method: "POST", body }).catch(() => null);
  for (const button of form.querySelectorAll("button")) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
  const page = response && new DOMParser().parseFromString(await response.text(), "text/html");
  const wrong = page?.querySelector(".wanted, .problem[role=alert]:not([hidden])")?.textContent;
  if (!response?.ok) {
    undo();
    return toast(wrong ?? "That did not work. Nothing was changed.");
  }
  swap(page);
  const done = page.querySelector(".done")?.textContent;
  if (done) toast(done);
  document.querySelector("#card-acts button, #card-acts a")?.focus();
}

listen();
