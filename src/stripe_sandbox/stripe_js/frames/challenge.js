// 3D Secure: the holder of the card says whether it is them; in the sandbox, by one of two buttons.

import { ask, meet, tell } from "./channel.js";

const $ = (id) => document.getElementById(id);
const buttons = [$("complete"), $("fail")];
let request = null;

async function answer(succeed) {
  for (const button of buttons) button.disabled = true;
  const { error } = await ask("authenticate", { ...request, succeed });
  // Somebody else may have answered meanwhile: then there is nothing left to ask.
  if (!error || error.code?.endsWith("_unexpected_state")) {
    tell("done");
    return;
  }
  $("error").textContent = error.message;
  for (const button of buttons) button.disabled = false;
}

$("complete").addEventListener("click", () => answer(true));
$("fail").addEventListener("click", () => answer(false));

meet({}, async ({ key, clientSecret, appearance }) => {
  if (appearance) document.documentElement.dataset.theme = appearance.theme === "night" ? "night" : "day";
  request = { key, client_secret: clientSecret };
  $("complete").focus();
  const asked = await ask("challenge", request);
  if (asked.error?.code?.endsWith("_unexpected_state")) tell("done");
  if (asked.error) {
    $("error").textContent = asked.error.message;
    return;
  }
  const brand = asked.brand.charAt(0).toUpperCase() + asked.brand.slice(1);
  $("card").textContent = `${brand} •••• ${asked.last4}`;
  if (!asked.currency) return;
  const money = new Intl.NumberFormat(undefined, { style: "currency", currency: asked.currency });
  const { maximumFractionDigits: decimals } = money.resolvedOptions();
  $("amount").textContent = money.format(asked.amount / 10 ** decimals);
  $("amount-row").hidden = false;
});
