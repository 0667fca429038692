// What a page does with Stripe.js, for the tests to call.

const heard = [];
addEventListener("message", ({ data }) => heard.push(JSON.stringify(data)));
const post = async (path, body) => (await fetch(path, { method: "POST", body: JSON.stringify(body) })).json();
const events = [];
let stripe, elements, element, result;

function link(key, clientSecret, appearance) {
  stripe = Stripe(key);
  elements = stripe.elements({ clientSecret, appearance });
  element = elements.create("payment");
  for (const name of ["ready", "change", "loaderror"]) element.on(name, (event) => events.push([name, event]));
  element.mount("#element");
}

function confirm(more = { redirect: "if_required" }) {
  result = stripe.confirmSetup({ elements, confirmParams: { return_url: location.origin + "/back" }, ...more });
}

async function reveal(key, issuingCard) {
  stripe = Stripe(key);
  elements = stripe.elements();
  const { nonce } = await stripe.createEphemeralKeyNonce({ issuingCard });
  const { secret: ephemeralKeySecret } = await post("/key", { nonce, card: issuingCard });
  const options = { issuingCard, nonce, ephemeralKeySecret, style: { base: { fontSize: "20px", color: "rgb(1, 2, 3)" } } };
  for (const [kind, place] of [["Number", "#number"], ["Cvc", "#cvc"], ["Expiry", "#expiry"]]) {
    elements.create(`issuingCard${kind}Display`, options).on("ready", () => events.push([kind])).mount(place);
  }
  const copy = elements.create("issuingCardCopyButton", { toCopy: "number", style: { base: { lineHeight: "24px" } } });
  copy.on("click", () => events.push(["copied"]));
  copy.mount("#copy");
  return stripe.retrieveIssuingCard(issuingCard, { nonce, ephemeralKeySecret });
}
