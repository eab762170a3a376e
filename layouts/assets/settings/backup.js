/* The backup in the settings: the whole account as a file to save, and such a file restored beside the
 * account that runs. Both may take minutes, so that no callback waits for them. What comes of it stands in
 * the dialog or, once that is closed, in a toast.
 */
import { at } from "../address.js";
import { register } from "../clientside.js";
import { explain } from "../live.js";
import { toast } from "../toasts.js";

const LARGEST_MIB = 512; // as in balance/api/backups.py
const GONE = "The server does not answer. Try again when it is back.";
const TOO_LARGE =
  `The backup is larger than ${LARGEST_MIB} MiB. Restore it in a shell: ` +
  "python -m balance restore FILE.zip --data-dir DIR";
const DURATION = "A ledger of a million entries takes a minute or two.";

const place = (name) => document.getElementById(`settings-${name}`);

function say({ message, detail: problem, command = "" }) {
  const text = problem ?? (command ? `${message} Start on it in a shell:` : message);
  const line = place("backup-state");
  if (line === null) {
    toast(`${text} ${command}`.trim(), problem ? "error" : "info");
    return;
  }
  line.classList.toggle("dialog-error", problem !== undefined);
  explain(line, text);
  place("restore-command").textContent = command;
}

let isBusy = false;

/* Does `action`, one at a time, and says `doing` until it is done. */
async function run(doing, action) {
  isBusy = true;
  say({ message: `${doing} ${DURATION}` });
  say(await action().catch(() => ({ detail: GONE })));
  isBusy = false;
}

async function download() {
  const response = await fetch(at("/backup"), { cache: "no-store" });
  if (!response.ok) {
    return response.json();
  }
  const name = /filename=(\S+)/.exec(response.headers.get("Content-Disposition"))[1];
  const href = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement("a"), { href, download: name }).click();
  URL.revokeObjectURL(href);
  return { message: `Saved as ${name}.` };
}

async function restore(body) {
  if (body.size > LARGEST_MIB * 1024 ** 2) {
    return { detail: TOO_LARGE };
  }
  const headers = { "Content-Type": "application/zip" };
  const response = await fetch(at("/backup/restore"), { method: "POST", headers, body });
  return response.json();
}

const field = document.createElement("input");
Object.assign(field, { id: "settings-restore-file", type: "file", accept: ".zip,application/zip", hidden: true });
field.onchange = () => {
  const [file] = field.files;
  // so that the same one can be chosen again
  field.value = "";
  run("Sending the backup, and proving what is in it.", () => restore(file));
};
document.body.append(field);

register({
  downloadBackup: () => void (isBusy || run("Proving the account.", download)),
  restoreBackup: () => void (isBusy || field.click()),
});
