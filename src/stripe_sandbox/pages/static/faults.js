// Arms faults: of requests, of saved cards, and of events on their way.

import { $, all, toast } from "./dom.js";
import { act, onSubmit } from "./page.js";
import { control } from "./requests.js";

// --- Faults and saved cards -----------------------------------------------------------------------

for (const tile of all("[data-fault]")) {
  tile.addEventListener("click", () =>
    act(tile, async () => {
      await control("POST", "/_sandbox/faults", JSON.parse(tile.dataset.fault));
      toast(`Armed: ${$("b", tile).textContent}.`);
    }),
  );
}

onSubmit("#fault", async (form) => {
  const { method, path, action, status, delay_ms: delay, body, times, after_effect: after } = form.elements;
  await control("POST", "/_sandbox/faults", {
    method: method.value,
    path: path.value.trim(),
    action: action.value,
    status: Number(status.value),
    delay_ms: Number(delay.value),
    body: body.value || null,
    times: times.value ? Number(times.value) : null,
    after_effect: after.checked,
  });
  toast("Armed.");
});

$("#clear-faults")?.addEventListener("click", (event) =>
  act(event.target, () => control("DELETE", "/_sandbox/faults")),
);

document.addEventListener("change", (event) => {
  const select = event.target.closest("[data-method]");
  if (!select) return;
  const like = select.value || null;
  select.blur();
  act(select, async () => {
    await control("POST", `/_sandbox/payment_methods/${select.dataset.method}/behaves_like`, { token: like });
    toast(like ? `From now on it behaves like ${like}.` : "It behaves like itself again.");
  });
});

// --- Faults of events -----------------------------------------------------------------------------

onSubmit("#event-fault", async (form) => {
  const { action, event_type: type, times, copies } = form.elements;
  await control("POST", "/_sandbox/event_faults", {
    action: action.value,
    type: type.value.trim() || "*",
    times: times.value ? Number(times.value) : null,
    copies: Number(copies.value) || 1,
  });
  toast("Armed.");
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-release]");
  if (!button) return;
  act(button, async () => {
    const order = button.dataset.release;
    const answer = await control("POST", "/_sandbox/event_faults/release", { order });
    toast(`Released: ${JSON.parse(answer).released.length}.`);
  });
});

$("#clear-event-faults")?.addEventListener("click", (event) =>
  act(event.target, () => control("DELETE", "/_sandbox/event_faults")),
);
