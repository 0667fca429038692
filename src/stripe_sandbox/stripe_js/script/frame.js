// Stands in for Stripe.js (https://docs.stripe.com/js) where the sandbox stands in for Stripe: what a
// page does with Stripe's own script it does with this one. Card numbers are typed into and shown by
// frames of the sandbox's origin; this script, and so the page, is never told one.

const HOME = new URL("stripe_js/", document.currentScript.src);
const SLOW_MS = 10000;
const UNREACHABLE = {
  type: "api_connection_error",
  message: "We are experiencing issues connecting to our payments provider. Please check your internet connection and try again.",
};

// Thrown when the page's code is wrong, never for what a customer did.
class IntegrationError extends Error {
  name = "IntegrationError";
}

// A frame, and the talk with it. Its port is handed to the sandbox's origin alone: should anything
// else have been loaded there, the browser drops the message.
class Frame {
  #port;
  #iframe = document.createElement("iframe");
  #waiting = new Map();
  #asked = 0;
  #isLost = false;
  #timer;

  constructor(kind, title, hello, heard) {
    const { port1, port2 } = new MessageChannel();
    const iframe = this.#iframe;
    iframe.src = new URL(`frames/${kind}`, HOME);
    iframe.title = title;
    if (kind === "copy") iframe.allow = "clipboard-write";
    Object.assign(iframe.style, { border: "0", display: "block", width: "100%", colorScheme: "light" });
    this.#port = port1;
    this.#timer = setTimeout(() => {
      this.#lose();
      heard("lost");
    }, SLOW_MS);
    port1.onmessage = ({ data }) => {
      if (data.event === "here") clearTimeout(this.#timer);
      else if (data.event === "height") iframe.style.height = `${data.detail}px`;
      else if (data.event) heard(data.event, data.detail);
      else this.#settle(data.id, data.answer);
    };
    iframe.addEventListener(
      "load",
      () => iframe.contentWindow.postMessage({ stripe: hello }, HOME.origin, [port2]),
      { once: true },
    );
  }

  get iframe() {
    return this.#iframe;
  }

  // Gives what the frame answers: an object of Stripe's, or `{ error }`.
  ask(what, details) {
    if (this.#isLost) return Promise.resolve({ error: UNREACHABLE });
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#port.postMessage({ id, what, details });
    });
  }

  remove() {
    clearTimeout(this.#timer);
    this.#lose();
    this.#port.close();
    this.#iframe.remove();
  }

  #settle(id, answer) {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #lose() {
    this.#isLost = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { error: UNREACHABLE });
  }
}
