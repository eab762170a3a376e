/* What the dialog of a position says as one types. */
import { register } from "../clientside.js";

const REST_MS = 150;

/* What stands in the fields of a dialog once it has rested for a moment: Dash drops what came before. */
async function rested(...typed) {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  return typed;
}

/* What the button says that closes a part, and whether it is off: it closes nothing that is not said. */
function nameClosing(typed, { key }) {
  const quantity = typed?.trim();
  return quantity ? [`Close ${quantity} ${key.split("/")[0]}`, false] : ["Close", true];
}

register({ rested, nameClosing });
