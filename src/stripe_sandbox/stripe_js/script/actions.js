// --- Confirming and authenticating ----------------------------------------------------------------

const NAMES = {
  setup_intent: { result: "setupIntent", error: "last_setup_error" },
  payment_intent: { result: "paymentIntent", error: "last_payment_error" },
};
const NOT_AUTHENTICATED =
  "We are unable to authenticate your payment method. Please choose a different payment method and try again.";

// Puts the bank's question over the page until it is answered; what was answered the intent tells.
function challenge(hello) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    const frame = new Frame("challenge", "3D Secure challenge frame", hello, (event) => {
      if (event === "done" || event === "lost") dialog.close();
    });
    const whole = { width: "100%", height: "100%", maxWidth: "none", maxHeight: "none" };
    Object.assign(dialog.style, { ...whole, border: "0", padding: "0", background: "transparent", overflow: "hidden" });
    const scheme = hello.appearance ? (isNight(hello.appearance) ? "dark" : "light") : "light dark";
    Object.assign(frame.iframe.style, { height: "100%", colorScheme: scheme });
    dialog.setAttribute("aria-label", "Authentication by your bank");
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      frame.remove();
      resolve();
    }, { once: true });
    dialog.append(frame.iframe);
    document.body.append(dialog);
    dialog.showModal();
    frame.iframe.focus();
  });
}

// Gives `{ setupIntent }`, `{ paymentIntent }` or `{ error }`; the error carries the intent.
function resultOf(intent) {
  const { result, error } = NAMES[intent.object];
  if (intent.status === "requires_action") return notAuthenticated(intent);
  if (intent.status !== "requires_payment_method" || !intent[error]) return { [result]: intent };
  if (intent[error].code === `${intent.object}_authentication_failure`) return notAuthenticated(intent);
  return { error: { ...intent[error], [intent.object]: intent } };
}

function notAuthenticated(intent) {
  const error = intent[NAMES[intent.object].error];
  const code = `${intent.object}_authentication_failure`;
  return { error: { ...error, type: "invalid_request_error", code, message: NOT_AUTHENTICATED, [intent.object]: intent } };
}

// Goes on from what a confirmation answered: asks the holder if the bank wants that.
async function settled(stripe, answer, appearance) {
  if (answer.error) return { error: answer.error };
  if (answer.status !== "requires_action") return resultOf(answer);
  const { client_secret: clientSecret, next_action: action } = answer;
  await challenge({ key: stripe.key, clientSecret, appearance });
  const again = await stripe.ask("retrieve", { client_secret: clientSecret });
  if (again.error) return { error: again.error };
  if (action?.type === "redirect_to_url") return leave(again, action.redirect_to_url.return_url);
  return resultOf(again);
}

// Leaves the page for `return_url`, which is told of the intent as Stripe tells it.
function leave(intent, returnUrl) {
  const url = new URL(returnUrl, location.href);
  url.searchParams.set(intent.object, intent.id);
  url.searchParams.set(`${intent.object}_client_secret`, intent.client_secret);
  url.searchParams.set("redirect_status", resultOf(intent).error ? "failed" : "succeeded");
  location.assign(url);
  return new Promise(() => {});
}

async function confirmTyped(stripe, called, { elements, clientSecret, confirmParams = {}, redirect = "always" }) {
  const returnUrl = confirmParams.return_url;
  if (redirect !== "if_required" && !returnUrl) {
    throw new IntegrationError(`Invalid value for stripe.${called}(): confirmParams.return_url is required unless redirect is 'if_required'.`);
  }
  const payment = elements?.getElement("payment");
  if (!payment?.frame) {
    throw new IntegrationError(`Invalid value for stripe.${called}(): elements should have a mounted Payment Element.`);
  }
  const answer = await payment.frame.ask("confirm", {
    client_secret: clientSecret ?? elements.clientSecret,
    billing_details: structuredClone(confirmParams.payment_method_data?.billing_details),
  });
  const result = await settled(stripe, answer, elements.appearance);
  const intent = result.setupIntent ?? result.paymentIntent;
  return intent && redirect !== "if_required" ? leave(intent, returnUrl) : result;
}
