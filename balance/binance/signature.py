"""Who sends a request: its key and, where that is needed, its signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Final

from balance.binance.call import Params, parsed
from balance.binance.errors import Refusal, missing
from balance.core.moments import milliseconds
from balance.keys.key import Key
from balance.keys.keys import Keys

KEY_HEADER: Final = "X-MBX-APIKEY"
_SIGNATURE: Final = "signature="
# In milliseconds: how old or new a request may be.
_USUAL_WINDOW: Final = 5_000
_LONGEST_WINDOW: Final = 60_000


def identify(keys: Keys, text: str | None) -> Key:
    """The key that the header says as ``text``.

    Raises:
        Refusal: it says none, or one that is not known any more.
    """
    if not text:
        raise Refusal(-2014, "API-key format invalid.", status=401)
    key = keys.find(text)
    if key is None or key.kind != "key":
        raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
    return key


def check_signature(key: Key, query: str, body: str, now: Callable[[], datetime]) -> Params:
    """The parameters in ``query`` and ``body``, signed with the secret of ``key``. What is signed
    is both as they came, one behind the other, but for the signature.

    Raises:
        Refusal: the signature is missing or another one, or the request is not of about ``now``.
    """
    texts = parsed(query, body)
    params = Params(texts)
    if params.text("timestamp") is None:
        raise missing("timestamp")
    shown = params.needed("signature")
    window = params.integer("recvWindow")
    if window is None:
        window = _USUAL_WINDOW
    if window > _LONGEST_WINDOW:
        raise Refusal(-1131, "recvWindow must be less than 60000.")
    if abs(milliseconds(now()) - (params.integer("timestamp") or 0)) > window:
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")
    right = hmac.new(key.secret.encode(), _signed(query, body), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(shown.lower().encode(), right.encode()):
        raise Refusal(-1022, "Signature for this request is not valid.")
    return params


def _signed(query: str, body: str) -> bytes:
    parts = (
        "&".join(each for each in part.split("&") if not each.startswith(_SIGNATURE))
        for part in (query, body)
    )
    return "".join(parts).encode("latin-1")
