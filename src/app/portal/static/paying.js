// The bank's question is Stripe's to ask; whether it was paid, the server asks Stripe itself.

import { stripeOf } from "./stripe.js";

const form = document.querySelector("[data-paying]");
const button = form.querySelector("[data-submit]");
const problem = form.querySelector("[data-problem]");
const stripe = stripeOf(form.dataset.key);
let asking = false;

function say(text) {
  problem.textContent = text;
  problem.hidden = false;
}

if (stripe) button.disabled = false;
else say("Stripe's script could not be loaded. Reload the page; a content blocker may be in the way.");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (asking) return;
  asking = true;
  problem.hidden = true;
  const { error } = await stripe.confirmCardPayment(form.dataset.secret);
  if (error?.type !== "api_connection_error") return form.submit();
  asking = false;
  say(error.message);
  button.disabled = false;
  button.removeAttribute("aria-busy");
});
