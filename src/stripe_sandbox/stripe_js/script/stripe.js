// --- Stripe(publishableKey): https://docs.stripe.com/js/initializing ------------------------------

// What needs no frame of its own is asked of the sandbox by a hidden one, so that the page needs no
// leave to connect to the sandbox, and no other page can ask in its name.
class Caller {
  #frame = null;
  opened = new Map();

  constructor(key) {
    this.key = key;
  }

  async ask(what, details) {
    if (!this.#frame) {
      this.#frame = new Frame("controller", "Stripe.js controller frame", { key: this.key }, (event) => {
        if (event === "lost") this.#frame = null;
      });
      const { iframe } = this.#frame;
      Object.assign(iframe, { tabIndex: -1, ariaHidden: "true" });
      Object.assign(iframe.style, { position: "fixed", width: "1px", height: "1px", visibility: "hidden" });
      document.body.append(iframe);
    }
    return this.#frame.ask(what, details);
  }
}

function textOf(value, what) {
  if (typeof value !== "string" || !value) throw new IntegrationError(`Invalid value for ${what}: it should be a string.`);
  return value;
}

async function intentOf(caller, clientSecret, kind, called) {
  textOf(clientSecret, `stripe.${called}(): the client secret`);
  if (!clientSecret.startsWith(kind)) throw new IntegrationError(`Invalid value for stripe.${called}(): the client secret is of another kind of intent.`);
  return caller.ask("retrieve", { client_secret: clientSecret });
}

async function retrieved(caller, clientSecret, kind, called) {
  const intent = await intentOf(caller, clientSecret, kind, called);
  return intent.error ? { error: intent.error } : { [NAMES[intent.object].result]: intent };
}

async function confirmSaved(caller, called, kind, clientSecret, { payment_method: method } = {}, { handleActions = true } = {}) {
  const intent = await intentOf(caller, clientSecret, kind, called);
  if (intent.error) return { error: intent.error };
  if (method !== undefined) textOf(method, `stripe.${called}(): payment_method, an id here`);
  const isAsked = intent.status === "requires_action" && method === undefined;
  const answer = isAsked ? intent : await caller.ask("confirm", { client_secret: clientSecret, payment_method: method });
  if (answer.error || handleActions) return settled(caller, answer);
  return { [NAMES[answer.object].result]: answer };
}

function Stripe(publishableKey) {
  const key = textOf(publishableKey, "Stripe(): the publishable key");
  if (/^[sr]k_/.test(key)) {
    throw new IntegrationError("You should not use your secret key with Stripe.js. Please pass a publishable key instead.");
  }
  const caller = new Caller(key);
  return {
    elements: (options = {}) => new StripeElements(caller, { ...options }),
    confirmSetup: (options) => confirmTyped(caller, "confirmSetup", options),
    confirmPayment: (options) => confirmTyped(caller, "confirmPayment", options),
    confirmCardSetup: (secret, ...more) => confirmSaved(caller, "confirmCardSetup", "seti_", secret, ...more),
    confirmCardPayment: (secret, ...more) => confirmSaved(caller, "confirmCardPayment", "pi_", secret, ...more),
    retrieveSetupIntent: (secret) => retrieved(caller, secret, "seti_", "retrieveSetupIntent"),
    retrievePaymentIntent: (secret) => retrieved(caller, secret, "pi_", "retrievePaymentIntent"),

    async handleNextAction({ clientSecret }) {
      const intent = await intentOf(caller, clientSecret, "", "handleNextAction");
      if (intent.error) return { error: intent.error };
      if (intent.status !== "requires_action") {
        throw new IntegrationError("handleNextAction: The PaymentIntent or SetupIntent supplied is not in the requires_action state.");
      }
      return settled(caller, intent);
    },

    async createEphemeralKeyNonce({ issuingCard }) {
      return caller.ask("nonces", { issuing_card: textOf(issuingCard, "stripe.createEphemeralKeyNonce(): issuingCard") });
    },

    // The key is remembered: display elements of this card then need not be given it.
    async retrieveIssuingCard(issuingCard, { ephemeralKeySecret, nonce }) {
      textOf(issuingCard, "stripe.retrieveIssuingCard(): the card");
      const card = await caller.ask("issuing_card", {
        issuing_card: issuingCard,
        ephemeral_key_secret: textOf(ephemeralKeySecret, "stripe.retrieveIssuingCard(): ephemeralKeySecret"),
        nonce: textOf(nonce, "stripe.retrieveIssuingCard(): nonce"),
      });
      if (card.error) return { error: card.error };
      caller.opened.set(issuingCard, { ephemeralKeySecret, nonce });
      return { issuingCard: card };
    },

    registerAppInfo() {},
    _registerWrapper() {},
  };
}

Stripe.version = "sandbox";
window.Stripe = Stripe;
