// The strip on top of the home: looks every two seconds whether something does not answer.

const LOOK_EVERY_MS = 2000;
const GIVE_UP_AFTER_MS = 4000;
const strip = document.querySelector("[data-status]");

function show(html) {
  // The same words again would have a screen reader say them again.
  if (strip.innerHTML !== html) strip.innerHTML = html;
}

async function look() {
  const signal = AbortSignal.timeout(GIVE_UP_AFTER_MS);
  const answer = await fetch(strip.dataset.status, { redirect: "manual", signal });
  if (answer.type === "opaqueredirect") location.reload();
  else if (answer.ok || answer.status === 503) show(await answer.text());
  else throw new Error(`status ${answer.status}`);
}

async function keepLooking() {
  await look().catch(() => show(document.querySelector("#no-answer").innerHTML));
  setTimeout(keepLooking, LOOK_EVERY_MS);
}

setTimeout(keepLooking, LOOK_EVERY_MS);
