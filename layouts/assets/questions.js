/* A button that does harm asks first, in the words of its `data-ask`: it does it when it is pressed again. */

const ASK_MS = 4000;

const asking = new Map(); // of each button that asks: what has it end

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("[data-ask]");
    if (asking.has(button)) {
      asking.get(button)();
    } else if (button !== null) {
      event.stopPropagation();
      const { textContent: label } = button;
      const timer = setTimeout(() => asking.get(button)(), ASK_MS);
      asking.set(button, () => {
        clearTimeout(timer);
        asking.delete(button);
        button.textContent = label;
      });
      button.textContent = button.dataset.ask;
    }
  },
  true,
);
