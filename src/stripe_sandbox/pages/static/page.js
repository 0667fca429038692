// Pays, arms, moves and refreshes. Everything shown is rendered by the server; this module sends what
// a person does where any client would send it, and puts the answers' HTML in place.

import { $, all, toast } from "./dom.js";
import { control, minorUnits, send, stripe } from "./requests.js";

const REFRESH_MS = 2000;

function showError(form, error) {
  const place = $(".error", form);
  if (!place) {
    if (error) toast(error.message, true);
    return;
  }
  place.hidden = !error;
  place.textContent = error?.message ?? "";
}

// Runs what a form or a button asks for, one at a time, and shows what went wrong.
export async function act(element, work) {
  const buttons = element.matches("button") ? [element] : all("button", element);
  for (const button of buttons) button.disabled = true;
  showError(element, null);
  try {
    await work();
  } catch (error) {
    showError(element, error);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
  await refreshAll();
}

export function onSubmit(selector, work) {
  $(selector)?.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.target, () => work(event.target));
  });
}

// --- What is fetched anew while the page is open --------------------------------------------------

const expanded = new Map(); // key of a row to the HTML of what it shows, null while unknown
const lastSeen = new WeakMap();

async function refresh(element) {
  // What somebody is typing or choosing in is left alone.
  if (element.contains(document.activeElement) && document.activeElement.matches("input, select")) return;
  let html;
  try {
    html = await send("GET", element.dataset.live);
  } catch {
    return;
  }
  if (lastSeen.get(element) === html) return;
  lastSeen.set(element, html);
  const typed = new Map(all("[data-key] input", element).map((i) => [i.closest("[data-key]").dataset.key, i.value]));
  const focused = document.activeElement?.closest("[data-key]")?.dataset.key;
  const hadFocus = element.contains(document.activeElement);
  element.innerHTML = html;
  offerTypes();
  for (const row of all("[data-key]", element)) {
    const { key } = row.dataset;
    if (expanded.has(key)) open(row);
    if (typed.get(key)) $("input", row).value = typed.get(key);
    if (hadFocus && key === focused) $(".expand", row)?.focus();
  }
}

async function refreshAll() {
  await Promise.all(all("[data-live]").map(refresh));
}

setInterval(() => {
  if (document.visibilityState === "visible") refreshAll();
}, REFRESH_MS);

// --- Rows that open -------------------------------------------------------------------------------

function open(row) {
  const { key, more } = row.dataset;
  const detail = $(".more", row);
  $(".expand", row).setAttribute("aria-expanded", "true");
  detail.hidden = false;
  if (!more) {
    expanded.set(key, null);
    return;
  }
  const known = expanded.get(key);
  if (known) detail.firstElementChild.innerHTML = known;
  else fetchMore(key, more);
}

async function fetchMore(key, address) {
  expanded.set(key, null);
  let html;
  try {
    html = await send("GET", address);
  } catch (error) {
    toast(error.message, true);
    return;
  }
  if (!expanded.has(key)) return;
  expanded.set(key, html);
  const cell = $(`[data-key="${CSS.escape(key)}"] .more`)?.firstElementChild;
  if (cell) cell.innerHTML = html;
}

function close(row) {
  expanded.delete(row.dataset.key);
  $(".expand", row).setAttribute("aria-expanded", "false");
  $(".more", row).hidden = true;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".expand");
  if (!button) return;
  const row = button.closest("[data-key]");
  if (button.getAttribute("aria-expanded") === "true") close(row);
  else open(row);
});

// --- Terminal -------------------------------------------------------------------------------------

const pay = $("#pay");

function chosenCard() {
  return pay.elements.card.selectedOptions[0];
}

function showPayAmount() {
  const currency = chosenCard().dataset.currency.toUpperCase();
  $("#currency").textContent = currency;
  $("[data-pay-amount]").textContent = `${pay.elements.amount.value} ${currency}`;
}

async function makePurchase(form) {
  const { card, merchant, amount, city, category, country } = form.elements;
  const { currency, decimals } = chosenCard().dataset;
  const minor = minorUnits(amount.value, Number(decimals));
  const outcome = $("#outcome");
  const before = outcome.innerHTML;
  outcome.innerHTML = '<p class="waiting">The product is asked …</p>';
  try {
    const authorization = await stripe("/v1/test_helpers/issuing/authorizations", {
      card: card.value,
      amount: minor,
      currency,
      authorization_method: "online",
      "merchant_data[name]": merchant.value,
      "merchant_data[category]": category.value,
      "merchant_data[city]": city.value,
      "merchant_data[country]": country.value,
    });
    outcome.innerHTML = await send("GET", `/_sandbox/parts/outcome/${authorization.id}`);
  } catch (error) {
    outcome.innerHTML = before;
    throw error;
  }
}

if (pay) {
  onSubmit("#pay", makePurchase);
  pay.addEventListener("input", showPayAmount);
  showPayAmount();
  for (const preset of all("[data-fill]")) {
    preset.addEventListener("click", () => {
      for (const [name, value] of Object.entries(JSON.parse(preset.dataset.fill))) {
        pay.elements[name].value = value;
      }
      showPayAmount();
    });
  }
}

// What is done to an authorization, and by which parameter its amount is given.
const STEPS = {
  capture: { parameter: "capture_amount", done: "Captured" },
  increment: {
    parameter: "increment_amount",
    done: "Asked for more",
    needsAmount: "How much more? Type an amount before Increment.",
  },
  finalize: {
    path: "finalize_amount",
    parameter: "final_amount",
    done: "Finalized",
    needsAmount: "What did it come to? Type an amount before Finalize.",
  },
  reverse: { parameter: "reverse_amount", done: "Reversed" },
  expire: { done: "Expired" },
};

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-authorization]");
  if (!form) return;
  event.preventDefault();
  const { authorization, decimals } = form.dataset;
  const name = event.submitter.value;
  const step = STEPS[name];
  act(form, async () => {
    const typed = form.elements.amount.value.trim();
    if (step.needsAmount && !typed) throw new Error(step.needsAmount);
    const parameters = {};
    if (typed && step.parameter) parameters[step.parameter] = minorUnits(typed, Number(decimals));
    const address = `/v1/test_helpers/issuing/authorizations/${authorization}/${step.path ?? name}`;
    await stripe(address, parameters);
    form.elements.amount.value = "";
    document.activeElement?.blur();
    toast(`${step.done}.`);
  });
});

$("#filter")?.addEventListener("change", (event) => {
  const type = encodeURIComponent(event.target.value);
  const list = $("#deliveries");
  list.dataset.live = `/_sandbox/parts/deliveries?type=${type}`;
  history.replaceState(null, "", type ? `?type=${type}` : location.pathname);
  event.target.blur();
  refresh(list);
});

// Types that were first sent after the page was loaded.
function offerTypes() {
  const select = $("#filter select");
  const types = $("[data-types]")?.dataset.types;
  if (!select || !types) return;
  const offered = new Set(all("option", select).map((option) => option.value));
  for (const type of types.split(" ")) if (!offered.has(type)) select.add(new Option(type));
}

// --- Clock, settings, reset -----------------------------------------------------------------------

for (const button of all("[data-advance]")) {
  button.addEventListener("click", () =>
    act(button, async () => {
      await control("POST", "/_sandbox/clock", { advance_seconds: Number(button.dataset.advance) });
      location.reload();
    }),
  );
}

onSubmit("#settings-form", async (form) => {
  const { elements } = form;
  const changes = {
    authorization_webhook_url: elements.authorization_webhook_url.value || null,
    authorization_timeout: elements.authorization_timeout.value,
    webhook_error: elements.webhook_error.value,
    latency_ms: Number(elements.latency_ms.value),
    topup_seconds: Number(elements.topup_seconds.value),
    refunds_need_available_funds: elements.refunds_need_available_funds.checked,
    shopping: elements.shopping.checked,
  };
  const secret = elements.authorization_webhook_secret.value;
  if (secret) changes.authorization_webhook_secret = secret;
  await control("POST", "/_sandbox/settings", changes);
  elements.authorization_webhook_secret.value = "";
  toast("Saved.");
});

for (const button of all("[data-open]")) {
  button.addEventListener("click", () => $(`#${button.dataset.open}`).showModal());
}

$("#reset")?.addEventListener("close", (event) => {
  if (event.target.returnValue !== "yes") return;
  act($("[data-open=reset]"), async () => {
    await control("POST", "/_sandbox/reset", {});
    location.assign("/_sandbox/");
  });
});
