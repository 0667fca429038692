// What every page gets where scripts run: nothing is sent twice, times are in the person's own zone.

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    // After the browser has taken the form down, so that nothing of it is left out.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) {
        button.disabled = true;
        button.setAttribute("aria-busy", "true");
      }
    });
  });
}

const how = {
  moment: { dateStyle: "medium", timeStyle: "short" },
  exact: { dateStyle: "medium", timeStyle: "medium" },
  date: { dateStyle: "medium" },
  day: { day: "numeric", month: "short" },
};
function writeTimes(part) {
  for (const time of part.querySelectorAll("time[data-how]")) {
    const write = new Intl.DateTimeFormat(document.documentElement.lang, how[time.dataset.how]);
    time.textContent = write.format(new Date(time.dateTime));
  }
}
writeTimes(document);
addEventListener("redrawn", (event) => writeTimes(event.detail));

// A page that the browser kept holds a form that has been sent, or somebody who has signed out.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A filter shows what it finds as soon as something is chosen.
for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    const list = document.getElementById("live-purchases");
    list.classList.add("waiting");
    list.setAttribute("aria-busy", "true");
  });
}
