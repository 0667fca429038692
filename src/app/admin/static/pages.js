// The back office's own pages: examples that fill the form, what Stripe says now, looking again.

const SETTLING_LOOKS_AGAIN_MS = 1500;

for (const preset of document.querySelectorAll("[data-preset]")) {
  preset.addEventListener("click", () => {
    const form = document.querySelector("#pay");
    for (const name of ["merchant", "category", "amount"]) {
      form.elements[name].value = preset.dataset[name];
    }
  });
}

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}

const live = document.querySelector("[data-live]");
if (live) {
  const answer = await fetch(live.dataset.live, { redirect: "error" }).catch(() => null);
  if (answer?.ok) live.innerHTML = await answer.text();
  else live.textContent = "Stripe did not answer now.";
}

if (document.querySelector("[data-settling]")) {
  setInterval(() => {
    const typing = document.activeElement?.matches("input, select");
    if (!typing && !document.hidden) location.reload();
  }, SETTLING_LOOKS_AGAIN_MS);
}

// A page that the browser kept holds a form that has been sent.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
