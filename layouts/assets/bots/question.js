/* The small dialog that asks before something that can't be taken back. */
import { balanceParts } from "../parts.js";

const { make, button, dialog } = balanceParts;

let made = null;

function built() {
  made ??= dialog("bot-question", {
    title: "",
    body: [make("p", { class: "dialog-words" }), make("ul", { class: "dialog-list" })],
    foot: [],
    onsubmit: (submitter) => made.close(submitter.value),
  });
  return made;
}

/* Asks, with what it is about as a list of texts: the value of the chosen answer, or null.
 * The answers are values, words and, of those that do harm, true.
 */
function ask(title, words, about, answers) {
  const box = built();
  const foot = box.querySelector(".sheet-foot");
  box.querySelector(".modal-title").textContent = title;
  box.querySelector(".dialog-words").textContent = words;
  box.querySelector(".dialog-list").replaceChildren(...about.map((each) => make("li", {}, each)));
  foot.querySelectorAll("button").forEach((each) => each.remove());
  foot.append(
    button("Cancel", "", { "data-close": true, autofocus: true }),
    ...answers.map(([value, label, icon, harms]) =>
      button(label, icon, { type: "submit", value }, harms ? "outline-danger" : "outline-secondary"),
    ),
  );
  box.returnValue = "";
  box.showModal();
  return new Promise((resolve) => {
    box.addEventListener("close", () => resolve(box.returnValue || null), { once: true });
  });
}

export const balanceQuestions = { ask };
