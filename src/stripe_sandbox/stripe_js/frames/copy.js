// A button without a face, to be laid over the page's own: it copies what a display of its group shows.

import { wearStyle } from "./appearance.js";
import { keepHeight, meet, tell } from "./channel.js";

const PATIENCE_MS = 2000;
const NAMES = { number: "card number", cvc: "security code", expiry: "expiry date" };
const button = document.querySelector("button");
let wanted = null;

// Asks the frames beside this one; only those of this origin hear it, and only they may answer.
function fromDisplay() {
  const { group, field } = wanted;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(reject, new Error("nothing is displayed")), PATIENCE_MS);
    function heard({ origin, data }) {
      if (origin === location.origin && data?.group === group && data.field === field) finish(resolve, data.value);
    }
    function finish(settle, value) {
      clearTimeout(timer);
      removeEventListener("message", heard);
      settle(value);
    }
    addEventListener("message", heard);
    for (let index = 0; index < parent.length; index += 1) {
      if (parent[index] !== window) parent[index].postMessage({ wanted: field, group }, location.origin);
    }
  });
}

async function copy() {
  const text = fromDisplay();
  try {
    const blob = text.then((value) => new Blob([value], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } catch {
    await copyByCommand(await text);
  }
}

// Where there is no clipboard to write to: http on another address than this machine's.
async function copyByCommand(text) {
  const put = (event) => {
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("copy", put, { once: true });
  if (!document.execCommand("copy")) throw new Error("the browser does not let this frame copy");
}

button.addEventListener("click", async () => {
  try {
    await copy();
    tell("click");
  } catch (error) {
    tell("failed", { message: `Nothing was copied: ${error.message}.` });
  }
});

function update(hello) {
  wanted = hello;
  button.ariaLabel = `Copy ${NAMES[hello.field] ?? hello.field}`;
  wearStyle(button, hello.style);
}

meet({ update, focus: () => button.focus(), blur: () => button.blur() }, (hello) => {
  update(hello);
  keepHeight(button);
  tell("ready");
});
