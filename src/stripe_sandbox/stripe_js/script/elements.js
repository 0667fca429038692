// --- Elements: https://docs.stripe.com/js/elements_object and https://docs.stripe.com/js/element ----

const KINDS = {
  payment: { frame: "payment", title: "Secure payment input frame", only: true },
  issuingCardNumberDisplay: { frame: "display", title: "Secure card number display frame", field: "number" },
  issuingCardCvcDisplay: { frame: "display", title: "Secure card CVC display frame", field: "cvc" },
  issuingCardExpiryDisplay: { frame: "display", title: "Secure card expiry display frame", field: "expiry" },
  issuingCardCopyButton: { frame: "copy", title: "Secure card copy button frame" },
};
const SHOWN_EVENTS = ["blur", "change", "click", "escape", "focus", "loaderror", "ready"];
const isNight = (appearance) => appearance?.theme === "night";

class StripeElement {
  #group;
  #type;
  #options;
  #frame = null;
  #host = null;
  #isDestroyed = false;
  #handlers = new Map();

  constructor(group, type, options) {
    this.#group = group;
    this.#type = type;
    this.#options = options;
  }

  mount(place) {
    if (this.#isDestroyed) {
      throw new IntegrationError("This Element has already been destroyed. Please create a new one.");
    }
    const host = typeof place === "string" ? document.querySelector(place) : place;
    if (!host) {
      throw new IntegrationError(
        `The selector you specified (${place}) applies to no DOM elements that are currently on the page. ` +
          "Make sure the element exists on the page before calling mount().",
      );
    }
    this.unmount();
    const { frame, title } = KINDS[this.#type];
    this.#frame = new Frame(frame, title, this.#hello(), (event, detail) => this.#heard(event, detail));
    this.#frame.iframe.style.colorScheme = this.#type === "payment" && isNight(this.#group.appearance) ? "dark" : "light";
    this.#frame.iframe.style.height = frame === "payment" ? "300px" : "1.4em";
    this.#host = host;
    host.classList.add("StripeElement");
    host.replaceChildren(this.#frame.iframe);
    this.#emit("loaderstart");
  }

  unmount() {
    this.#frame?.remove();
    this.#host?.classList.remove("StripeElement", "StripeElement--focus");
    this.#frame = this.#host = null;
  }

  destroy() {
    this.unmount();
    this.#isDestroyed = true;
    this.#group.forget(this);
  }

  update(options) {
    Object.assign(this.#options, options);
    this.refresh();
    return this;
  }

  on(event, handler) {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
    return this;
  }

  once(event, handler) {
    const heard = (detail) => {
      this.off(event, heard);
      handler(detail);
    };
    return this.on(event, heard);
  }

  off(event, handler) {
    const left = (this.#handlers.get(event) ?? []).filter((one) => handler && one !== handler);
    this.#handlers.set(event, left);
    return this;
  }

  addEventListener = this.on;
  removeEventListener = this.off;

  focus() {
    this.#frame?.ask("focus");
  }

  blur() {
    this.#frame?.ask("blur");
  }

  clear() {
    this.#frame?.ask("clear");
  }

  collapse() {
    return this;
  }

  // What follows is for this script, not for the page.

  get type() {
    return this.#type;
  }

  get frame() {
    return this.#frame;
  }

  refresh() {
    if (!this.#frame) return;
    if (this.#type === "payment") {
      this.#frame.iframe.style.colorScheme = isNight(this.#group.appearance) ? "dark" : "light";
    }
    this.#frame.ask("update", this.#hello());
  }

  #hello() {
    const options = structuredClone(this.#options);
    const { key, clientSecret, appearance, id: group, opened } = this.#group;
    if (this.#type === "payment") return { key, clientSecret, appearance, options };
    if (this.#type === "issuingCardCopyButton") return { group, field: options.toCopy, style: options.style };
    return { key, group, field: KINDS[this.#type].field, ...opened.get(options.issuingCard), ...options };
  }

  #heard(event, detail) {
    if (event === "lost") {
      [event, detail] = this.#type === "payment" ? ["loaderror", { error: UNREACHABLE }] : ["failed", UNREACHABLE];
    }
    if (event === "failed") console.error(`Stripe.js: ${detail.message}`);
    if (event === "focus" || event === "blur") this.#host?.classList.toggle("StripeElement--focus", event === "focus");
    if (SHOWN_EVENTS.includes(event)) this.#emit(event, detail);
  }

  #emit(event, detail) {
    for (const handler of this.#handlers.get(event) ?? []) handler({ elementType: this.#type, ...detail });
  }
}

class StripeElements {
  #made = [];
  #options;

  constructor(stripe, options) {
    this.key = stripe.key;
    this.opened = stripe.opened;
    this.id = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.#options = options;
  }

  get clientSecret() {
    return this.#options.clientSecret;
  }

  get appearance() {
    const appearance = this.#options.appearance;
    return appearance && JSON.parse(JSON.stringify(appearance));
  }

  create(type, options = {}) {
    const kind = KINDS[type];
    if (!kind) throw new IntegrationError(`A valid Element name must be provided. Valid Elements are: ${Object.keys(KINDS).join(", ")}; you passed: ${type}.`);
    if (kind.only && this.getElement(type)) {
      throw new IntegrationError(`Can't create two Elements of type ${type} through the same Elements instance.`);
    }
    if (type === "payment" && !this.clientSecret) {
      throw new IntegrationError("In order to create a payment element, you must pass a clientSecret when creating the Elements group.");
    }
    if (kind.field && !options.issuingCard) {
      throw new IntegrationError(`Invalid value for elements.create('${type}'): issuingCard should be a string.`);
    }
    const element = new StripeElement(this, type, { ...options });
    this.#made.push(element);
    return element;
  }

  getElement(type) {
    return this.#made.find((element) => element.type === type) ?? null;
  }

  async update(options) {
    Object.assign(this.#options, options);
    for (const element of this.#made) element.refresh();
  }

  async fetchUpdates() {
    return {};
  }

  // Has the payment frame show what is missing, as before a confirmation.
  async submit() {
    const payment = this.getElement("payment");
    if (!payment?.frame) throw new IntegrationError("elements.submit() needs a mounted Payment Element.");
    return payment.frame.ask("validate");
  }

  forget(element) {
    this.#made = this.#made.filter((one) => one !== element);
  }
}
