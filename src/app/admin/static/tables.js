// What scrolls sideways can be reached and scrolled by the keyboard, and says what it is.

function nameOf(scroller) {
  const own = scroller.closest(".panel, section")?.querySelector("h2, h3");
  const told = own ?? document.querySelector("h1");
  return `${told?.textContent.trim() ?? "Table"}: scrolls sideways`;
}

function reach() {
  for (const scroller of document.querySelectorAll(".table-scroll, .record pre")) {
    if (scroller.scrollWidth > scroller.clientWidth) {
      scroller.tabIndex = 0;
      scroller.setAttribute("role", "region");
      scroller.setAttribute("aria-label", nameOf(scroller));
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) scroller.removeAttribute(name);
    }
  }
}

reach();
new ResizeObserver(reach).observe(document.body);
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
