// The front page works out what an amount costs while it is typed.

const form = document.querySelector("[data-quote]");
const answer = document.querySelector("[data-quote-answer]");
const AFTER_MS = 200;
let waiting;
let latest = 0;

async function ask() {
  const mine = ++latest;
  const amount = encodeURIComponent(form.elements.amount.value);
  const response = await fetch(`/quote?amount=${amount}`).catch(() => null);
  if (mine !== latest || !response || ![200, 422].includes(response.status)) return;
  const told = await response.json();
  answer.querySelector("[data-sentence]").textContent = told.sentence;
  answer.querySelector("dl").hidden = response.status !== 200;
  for (const name of ["amount", "fee", "total"]) {
    answer.querySelector(`[data-${name}]`).textContent = told[name];
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(ask, AFTER_MS);
});
