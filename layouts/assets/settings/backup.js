/* The backup in the settings: the whole account as a file to save, and such a file restored beside the
 * account that runs. Both may take minutes, so that no callback waits for them. What comes of it stands in
 * the dialog or, once that is closed, in a toast.
 */
import { at } from "../address.js";
import { register } from "../clientside.js";
import { explain } from "../live.js";
import { toast } from "../toasts.js";

const MEDIA_TYPE = "application/zip";
const LARGEST_MIB = 512; // as in balance/api/backups.py
const GONE = "The server does not answer. Try again when it is back.";
const TOO_LARGE =
  `The backup is larger than ${LARGEST_MIB} MiB. Restore it in a shell: ` +
  "python -m balance restore FILE.zip --data-dir DIR";

let isBusy = false;

const place = (name) => document.getElementById(`settings-${name}`);

function say(words, isDone = true, command = "") {
  const line = place("backup-state");
  if (line === null) {
    toast(`${words} ${command}`.trim(), isDone ? "info" : "error");
    return;
  }
  line.classList.toggle("dialog-error", !isDone);
  explain(line, words);
  place("restored").hidden = command === "";
  place("restore-command").textContent = command;
}

// what is under way is only said in the dialog
const tell = (words) => place("backup-state") && say(words);

async function download() {
  tell("Proving the account. A ledger of a million entries takes a minute or two.");
  const response = await fetch(at("/backup"), { cache: "no-store" });
  if (!response.ok) {
    say((await response.json()).detail, false);
    return;
  }
  const name = /filename=(\S+)/.exec(response.headers.get("Content-Disposition"))[1];
  const address = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  URL.revokeObjectURL(address);
  say(`Saved as ${name}.`);
}

/* Sends `file`: the status and the JSON of the answer. Only this kind of request says how far it is. */
function sent(file) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", at("/backup/restore"));
    request.setRequestHeader("Content-Type", MEDIA_TYPE);
    request.upload.onprogress = ({ loaded, total }) =>
      tell(`Sending the backup, ${Math.floor((10 * loaded) / total) * 10} %.`);
    request.upload.onload = () => tell("Proving what is in the backup.");
    request.onload = () => resolve([request.status, JSON.parse(request.responseText)]);
    request.onerror = reject;
    request.send(file);
  });
}

async function restore(file) {
  if (file.size > LARGEST_MIB * 1024 ** 2) {
    say(TOO_LARGE, false);
    return;
  }
  const [status, { message, detail, command }] = await sent(file);
  status === 200 ? say(`${message} Start on it in a shell:`, true, command) : say(detail, false);
}

/* Does `action`, one at a time. */
async function once(action) {
  if (!isBusy) {
    isBusy = true;
    await action().catch(() => say(GONE, false));
    isBusy = false;
  }
}

function choose() {
  const input = document.createElement("input");
  Object.assign(input, { id: "settings-restore-file", type: "file", accept: `.zip,${MEDIA_TYPE}`, hidden: true });
  input.onchange = () => {
    input.remove();
    once(() => restore(input.files[0]));
  };
  place("restore-file")?.remove();
  document.body.append(input);
  input.click();
}

register({
  downloadBackup: () => void once(download),
  restoreBackup: () => void (isBusy || choose()),
});
