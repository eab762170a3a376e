/* Requests that change something: each with a key, so that one which got no answer can be sent
 * again without being done twice.
 */
(() => {
  "use strict";

  const TIMEOUT_MS = 8000;
  const AMOUNT = /^[+-]?(\d+(\.\d*)?|\.\d+)$/;
  const notAnAmount = "Write the amount with digits and a point, such as 1234.56.";

  // a request that got no answer is repeated with its key, so that it can't be done twice
  let unanswered = { request: null, key: null };

  function keyFor(request) {
    if (unanswered.request !== request) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      unanswered = { request, key };
    }
    return unanswered.key;
  }

  // the number as it was typed, in JSON: a float would lose digits
  function jsonNumber(typed) {
    const text = String(typed ?? "").trim();
    if (!AMOUNT.test(text)) {
      return null;
    }
    const [whole, decimals = ""] = text.replace(/^[+-]/, "").split(".");
    const digits = whole.replace(/^0+(?=\d)/, "") || "0";
    return (text.startsWith("-") ? "-" : "") + digits + (decimals ? `.${decimals}` : "");
  }

  /* Sends it: [done, words, the answer]. */
  async function send(method, path, body, headers = {}) {
    try {
      const response = await fetch(path, {
        method,
        headers: {
          ...(body && { "Content-Type": "application/json" }),
          "Idempotency-Key": keyFor(method + path + body),
          ...headers,
        },
        body: body || undefined,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = await response.json();
      unanswered = { request: null, key: null };
      if (!response.ok) {
        return [false, answer.detail, answer];
      }
      // a change of the account is answered with a snapshot, one of a bot is not
      if (answer.revision !== undefined) {
        window.balanceState.accept(answer);
      }
      // what the market fills later is told by its news
      answer.order?.status === "filled" && window.balanceNotices.chime("fill");
      return [true, answer.message, answer];
    } catch {
      return [
        false,
        "The server does not answer, so it is not known whether this was done. " +
          "Try again when it is back: it will not be done twice.",
        null,
      ];
    }
  }

  /* Sends it and tells what came of it in a toast: [done, what went wrong]. */
  async function carryOut(method, path, body = "", headers = {}) {
    const [done, words] = await send(method, path, body, headers);
    window.balanceScreen.toast(words, done ? "info" : "error");
    return [done, done ? "" : words];
  }

  window.balanceRequests = { jsonNumber, send, carryOut, notAnAmount };
})();
