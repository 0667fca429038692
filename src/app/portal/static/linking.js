// The card is typed into Stripe's own frame; this page only says where it goes and what Stripe says.

import { appearance, stripeOf } from "./stripe.js";

const form = document.querySelector("[data-linking]");
const button = form.querySelector("[data-submit]");
const problem = form.querySelector("[data-problem]");
const place = form.querySelector("[data-place]");
const { key, secret, back } = form.dataset;
const stripe = stripeOf(key);
let elements = null;
let asking = false;

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

function ready() {
  button.disabled = false;
  button.removeAttribute("aria-busy");
}

function begin() {
  if (!stripe) return say("Stripe's script could not be loaded. Reload the page; a content blocker may be in the way.");
  if (!place) return ready();
  elements = stripe.elements({ clientSecret: secret, appearance: appearance() });
  const payment = elements.create("payment", { terms: { card: "never" } });
  payment.on("ready", () => {
    place.classList.remove("is-waiting");
    ready();
  });
  payment.on("change", () => say(""));
  payment.on("loaderror", ({ error }) => say(error.message));
  payment.mount(place);
}

const ask = () => (elements
  ? stripe.confirmSetup({ elements, confirmParams: { return_url: back }, redirect: "if_required" })
  : stripe.confirmCardSetup(secret));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (asking) return;
  asking = true;
  say("");
  const { error } = await ask();
  if (!error) return form.submit();
  asking = false;
  if (error.code === "setup_intent_unexpected_state") return location.reload();
  say(error.message);
  ready();
});

begin();
