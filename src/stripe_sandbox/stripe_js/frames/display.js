// Shows one field of an issued card. The page is told that it is shown; a copy button of the same
// group, which is a frame of this same origin, is told the value when it asks.

import { wearStyle } from "./appearance.js";
import { ask, keepHeight, meet, tell } from "./channel.js";

const element = document.getElementById("value");
let shown = null;

async function show({ key, group, field, issuingCard, nonce, ephemeralKeySecret, style }) {
  wearStyle(element, style);
  if (!ephemeralKeySecret || !nonce) {
    tell("failed", { message: `Issuing card ${issuingCard} has not been retrieved.` });
    return;
  }
  const answer = await ask("issuing_card_field", {
    key,
    field,
    issuing_card: issuingCard,
    nonce,
    ephemeral_key_secret: ephemeralKeySecret,
  });
  if (answer.error) {
    shown = null;
    element.textContent = "";
    tell("failed", answer.error);
    return;
  }
  shown = { group, field, value: answer.value };
  element.textContent = field === "number" ? answer.value.replace(/(.{4})(?=.)/g, "$1 ") : answer.value;
  tell("ready");
}

addEventListener("message", ({ origin, source, data }) => {
  if (origin !== location.origin || source === parent || !shown) return;
  if (data?.wanted === shown.field && data.group === shown.group) {
    source.postMessage({ wanted: null, ...shown }, location.origin);
  }
});

meet({ update: show }, (hello) => {
  keepHeight(element);
  show(hello);
});
