/* A field that gets the focus is described by what stands below it, its hint and what is wrong with it. */

document.addEventListener("focusin", ({ target }) => {
  const below = ["hint", "error"].map((each) => document.getElementById(`${target.id}-${each}`));
  const [, error] = below;
  const there = below.filter(Boolean);
  if (target.id && there.length > 0) {
    target.setAttribute("aria-describedby", there.map(({ id }) => id).join(" "));
    error && target.setAttribute("aria-invalid", String(error.textContent !== ""));
  }
});
