// What merchants do outside a purchase that stands open, and money from the bank.

import { toast } from "./dom.js";
import { act, onSubmit } from "./page.js";
import { control, minorUnits, stripe } from "./requests.js";

// --- After the purchase: refund a capture, capture what was declined or reversed --------------------

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-afterwards]");
  if (!form) return;
  event.preventDefault();
  const { afterwards: address, decimals } = form.dataset;
  act(form, async () => {
    const typed = form.elements.amount.value.trim();
    const minor = typed ? minorUnits(typed, Number(decimals)) : undefined;
    if (address.startsWith("/v1/")) await stripe(address, { refund_amount: minor });
    else await control("POST", address, typed ? { amount: minor } : {});
    form.elements.amount.value = "";
    document.activeElement?.blur();
    toast(address.endsWith("/refund") ? "Refunded." : "Captured by force.");
  });
});

// --- Without any purchase -------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target.closest("#unasked");
  if (!form) return;
  event.preventDefault();
  const { card, amount } = form.elements;
  const { currency, decimals } = card.selectedOptions[0].dataset;
  const what = event.submitter.value;
  act(form, async () => {
    const minor = minorUnits(amount.value, Number(decimals));
    await stripe(`/v1/test_helpers/issuing/transactions/${what}`, { card: card.value, amount: minor, currency });
    toast(what === "create_force_capture" ? "Captured by force." : "Refunded.");
  });
});

// --- Top-ups --------------------------------------------------------------------------------------

onSubmit("#top-up", async (form) => {
  const { amount, destination, at_once: atOnce } = form.elements;
  const topup = await stripe("/v1/topups", {
    amount: minorUnits(amount.value, 2),
    currency: "usd",
    destination_balance: destination.value,
  });
  if (atOnce.checked) await control("POST", `/_sandbox/topups/${topup.id}/succeed`, {});
  toast(atOnce.checked ? "The money is there." : "The money is on its way.");
});
