// The back office's own pages: examples that fill the form, what Stripe says now, looking again.

const SETTLING_LOOKS_AGAIN_MS = 1500;
const FOLLOWS_EVERY_MS = 2000;
let sending = false;

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
    sending = true; // looking again now would throw away the answer
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}

async function part(address) {
  const answer = await fetch(address, { redirect: "error" }).catch(() => null);
  return answer?.ok ? answer.text() : null;
}

async function askStripe() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  const told = await part(live.dataset.live);
  if (told === null) live.textContent = "Stripe did not answer now.";
  else live.innerHTML = told;
}

await askStripe();

// What happens to a purchase elsewhere is shown without a click, and what is typed stays.
const followed = document.querySelector("[data-follow]");
if (followed) {
  let before = await part(followed.dataset.follow);
  setInterval(async () => {
    if (document.hidden) return;
    const now = await part(followed.dataset.follow);
    if (now === null || now === before) return;
    before = now;
    followed.innerHTML = now;
    await askStripe();
  }, FOLLOWS_EVERY_MS);
}

if (document.querySelector("[data-settling]")) {
  setInterval(() => {
    const typing = document.activeElement?.matches("input, select");
    if (!typing && !sending && !document.hidden) location.reload();
  }, SETTLING_LOOKS_AGAIN_MS);
}

// A page that the browser kept holds a form that has been sent.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
