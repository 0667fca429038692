// Finds elements and shows passing messages.

const TOAST_MS = 5000;

export const $ = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

export function toast(message, isError = false) {
  const element = document.createElement("div");
  element.className = isError ? "toast bad" : "toast";
  element.textContent = message;
  $("#toasts").append(element);
  setTimeout(() => element.remove(), TOAST_MS);
}
