// Sends what the pages ask for: to the sandbox's own addresses, and to Stripe's interface as any client.

// Any test key opens the sandbox.
const KEY = "sk_test_sandbox_page";

export async function send(method, path, options = {}) {
  let response;
  try {
    response = await fetch(path, { method, ...options });
  } catch {
    throw new Error("The sandbox cannot be reached. Is it still running, or did a fault drop this request?");
  }
  const text = await response.text();
  if (response.ok) return text;
  let message = text;
  try {
    message = JSON.parse(text).error.message;
  } catch {
    // Not JSON: what it says is shown as it is.
  }
  throw new Error(message || `The sandbox answered ${response.status}.`);
}

export function control(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  return send(method, path, { headers, body: body && JSON.stringify(body) });
}

export async function stripe(path, parameters) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== undefined) form.append(name, value);
  }
  const headers = { Authorization: `Bearer ${KEY}` };
  return JSON.parse(await send("POST", path, { headers, body: form }));
}

// "19.99" to 1999, without a floating-point number in between.
export function minorUnits(text, decimals) {
  const cleaned = text.trim().replace(",", ".");
  const match = /^(\d{1,9})(?:\.(\d+))?$/.exec(cleaned);
  const fraction = match?.[2] ?? "";
  if (!match || fraction.length > decimals) {
    const example = decimals ? "19.99" : "1999";
    throw new Error(`An amount is a number like ${example}, not “${text}”.`);
  }
  return Number(match[1] + fraction.padEnd(decimals, "0"));
}
