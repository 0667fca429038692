// The Payment Element: the fields of a card, and its confirmation, which never leaves this frame.

import { wearTheme } from "./appearance.js";
import { CHECKS, asExpiry, brandOf, digits, grouped, monthAndYear } from "./card.js";
import { ask, keepHeight, meet, tell } from "./channel.js";

const OVER = ["succeeded", "canceled", "processing", "requires_capture"];
const form = document.querySelector("form");
const fields = Object.keys(CHECKS).map((name) => form.elements[name]);
const { number, expiry, cvc } = form.elements;
let page = null;
let lastChange = "";

const wrongWith = (field) => CHECKS[field.name](field.value, number.value);

function show(field, error) {
  field.classList.toggle("Input--invalid", Boolean(error));
  field.setAttribute("aria-invalid", String(Boolean(error)));
  document.getElementById(`${field.id}-error`).textContent = error?.message ?? "";
}

function tellChange() {
  const empty = fields.every((field) => !field.value);
  const complete = fields.every((field) => !wrongWith(field));
  const change = { empty, complete, collapsed: false, value: { type: "card" } };
  const text = JSON.stringify(change);
  if (text !== lastChange) tell("change", change);
  lastChange = text;
}

// Keeps the caret where it was, counted in digits, when spaces come and go around it.
function rewrite(field, text) {
  const before = digits(field.value.slice(0, field.selectionStart)).length;
  const atEnd = field.selectionStart === field.value.length;
  field.value = text;
  if (atEnd) return;
  let place = 0;
  for (let seen = 0; place < text.length && seen < before; place += 1) seen += /\d/.test(text[place]);
  field.setSelectionRange(place, place);
}

function tidy(field) {
  if (field === number) {
    const brand = brandOf(digits(number.value));
    rewrite(number, grouped(digits(number.value), brand));
    document.getElementById("brand").textContent = brand.label;
    cvc.maxLength = brand.cvc;
  } else if (field === expiry) {
    rewrite(expiry, asExpiry(expiry.value));
  } else if (field === cvc) {
    cvc.value = digits(cvc.value);
  }
}

// Shows all that is wrong and gives the first of it.
function validate() {
  const wrong = fields.filter((field) => {
    const error = wrongWith(field);
    show(field, error);
    return error;
  });
  wrong[0]?.focus();
  return wrong[0] ? { error: wrongWith(wrong[0]) } : {};
}

async function confirm({ client_secret: secret, billing_details: details }) {
  const { error } = validate();
  if (error) return { error };
  form.inert = true;
  const card = { number: digits(number.value), ...monthAndYear(expiry.value), cvc: cvc.value };
  card.postal_code = form.elements.postal_code.value.trim();
  const defaults = page.options?.defaultValues?.billingDetails;
  const answer = await ask("confirm", {
    key: page.key,
    client_secret: secret,
    card,
    billing_details: { ...defaults, ...details },
  });
  form.inert = false;
  return answer;
}

function update(hello) {
  page = hello;
  wearTheme(hello.appearance);
  const isHidden = hello.options?.terms?.card === "never" || !hello.clientSecret.startsWith("seti_");
  const terms = document.getElementById("terms");
  terms.hidden = isHidden;
  const name = hello.options?.business?.name ?? "this business";
  terms.textContent =
    `By providing your card information, you allow ${name} to charge your card for future payments in accordance with their terms.`;
  for (const field of fields) field.readOnly = Boolean(hello.options?.readOnly);
  return {};
}

function clear() {
  form.reset();
  for (const field of fields) show(field, null);
  tidy(number);
  tellChange();
}

async function begin(hello) {
  update(hello);
  keepHeight(form);
  const intent = await ask("retrieve", { key: hello.key, client_secret: hello.clientSecret });
  if (intent.error) tell("loaderror", { error: intent.error });
  else if (OVER.includes(intent.status)) {
    const message = `The intent of this client secret cannot be confirmed: its status is ${intent.status}.`;
    tell("loaderror", { error: { type: "invalid_request_error", code: `${intent.object}_unexpected_state`, message } });
  } else {
    form.classList.add("ready");
    tell("ready");
  }
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", ({ target }) => {
  tidy(target);
  // What was wrong is taken back at once; what is not finished yet is not called wrong while typing.
  if (target.classList.contains("Input--invalid")) show(target, wrongWith(target));
  tellChange();
});
form.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (target.value) show(target, wrongWith(target));
  if (!relatedTarget) tell("blur");
});
form.addEventListener("focusin", ({ relatedTarget }) => {
  if (!relatedTarget) tell("focus");
});
form.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") tell("escape");
});

meet({ confirm, validate, update, clear, focus: () => number.focus(), blur: () => document.activeElement?.blur() }, begin);
