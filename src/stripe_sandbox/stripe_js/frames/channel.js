// How a frame speaks: with the page that holds it, through the port it was handed, and with the sandbox.

const UNREACHABLE = {
  type: "api_connection_error",
  message: "We are experiencing issues connecting to our payments provider. Please check your internet connection and try again.",
};

let port = null;

// Tells the page that something happened.
export function tell(event, detail) {
  port?.postMessage({ event, detail });
}

// Waits for the page, which is whoever holds this frame and nobody else; what it says first is given
// to `begin`, and from then on it asks for what `answers` has.
export function meet(answers, begin) {
  addEventListener("message", function heard({ source, origin, data, ports }) {
    const isPage = source === parent && source !== window && /^https?:\/\//.test(origin);
    if (!isPage || !data?.stripe || ports.length !== 1) return;
    removeEventListener("message", heard);
    [port] = ports;
    port.onmessage = async ({ data: { id, what, details } }) => {
      const answer = Object.hasOwn(answers, what) ? await answers[what](details) : undefined;
      port.postMessage({ id, answer });
    };
    tell("here");
    begin(data.stripe);
  });
}

// Keeps the page's frame as high as what is in it.
export function keepHeight(element) {
  const measure = () => tell("height", Math.ceil(element.getBoundingClientRect().height));
  new ResizeObserver(measure).observe(element);
  measure();
}

// Gives what the sandbox answers, `{ error }` included.
export async function ask(name, body) {
  try {
    const response = await fetch(new URL(`../${name}`, import.meta.url), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { error: UNREACHABLE };
  }
}
