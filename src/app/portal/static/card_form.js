// The form of a card says what is wanted as soon as a field is left; the server has the last word.

const AMOUNT = /^\d{1,3}(,?\d{3})*(\.\d{1,2})?$/;
const amount = (text) => {
  if (!AMOUNT.test(text)) return "Write an amount like 250.00.";
  return Number(text.replaceAll(",", "")) > 0 ? "" : "Write an amount above 0.00. To stop a card, freeze it.";
};
const CHECKS = {
  nickname: (text) => (text && text.length <= 40 ? "" : "A card's name has 1 to 40 characters."),
  daily: amount,
  monthly: amount,
  purchase: (text) => text && amount(text),
};

function tell(input, wanted) {
  const field = input.closest(".field");
  const id = `${input.name}-wanted`;
  let note = document.getElementById(id);
  if (!note && wanted) {
    note = document.createElement("p");
    note.className = "wanted";
    note.id = id;
    field.append(note);
  }
  if (note) note.textContent = wanted;
  field.classList.toggle("wrong", Boolean(wanted));
  if (wanted) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  const hint = document.getElementById(`${input.name}-hint`);
  const described = wanted ? id : hint?.id;
  if (described) input.setAttribute("aria-describedby", described);
  else input.removeAttribute("aria-describedby");
}

for (const [name, check] of Object.entries(CHECKS)) {
  const input = document.querySelector(`form.form input[name=${name}]`);
  input?.addEventListener("change", () => tell(input, check(input.value.trim())));
}

// A kind that is ticked means "only these".
const only = document.querySelector("input[name=kinds][value=only]");
for (const box of document.querySelectorAll("input[name=kind]")) {
  box.addEventListener("change", () => {
    if (box.checked) only.checked = true;
  });
}
