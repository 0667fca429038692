// Short notes that come and go at the edge of the page, and are read out.

const SHOWN_MS = 8000;

export function toast(sentence, href) {
  const place = document.querySelector("[data-toasts]");
  const note = document.createElement("p");
  note.className = "toast";
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = sentence;
    note.append(link);
  } else {
    note.textContent = sentence;
  }
  const away = document.createElement("button");
  away.type = "button";
  away.className = "link";
  away.setAttribute("aria-label", "Close this note");
  away.textContent = "×";
  away.addEventListener("click", () => note.remove());
  note.append(away);
  place.append(note);
  let timer = setTimeout(() => note.remove(), SHOWN_MS);
  note.addEventListener("pointerenter", () => clearTimeout(timer));
  note.addEventListener("focusin", () => clearTimeout(timer));
  note.addEventListener("pointerleave", () => { timer = setTimeout(() => note.remove(), SHOWN_MS); });
}
