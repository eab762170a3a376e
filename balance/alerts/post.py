"""One post to an address that a person has named, and how it ended."""

from __future__ import annotations

import threading
from typing import Final

import requests

from balance.alerts.alert import DeliveryState

#: How a post ended, in words; ``sending`` where it may go better later.
Outcome = tuple[DeliveryState, str]

_HEADERS: Final = {"User-Agent": "virtual-balance", "Content-Type": "application/json"}
# what may go better at another time, beside the server's own faults
_LATER: Final = (408, 425, 429)


class Post(threading.Thread):
    """Posts once, in a thread of its own: the look-up of a name can't be ended, nor can an answer
    that comes byte by byte, so that whoever waits for it goes on without it."""

    def __init__(self, url: str, body: bytes, timeout: float) -> None:
        """``timeout`` is how many seconds there may be silence."""
        super().__init__(name="post", daemon=True)
        #: None until it has ended.
        self.outcome: Outcome | None = None
        self._url = url
        self._body = body
        self._timeout = timeout

    def run(self) -> None:
        """Post."""
        self.outcome = _posted(self._url, self._body, self._timeout)


def silence(seconds: float) -> Outcome:
    """How a post ends that is not answered within ``seconds``."""
    return "sending", f"No answer within {seconds:g} s"


def _posted(url: str, body: bytes, timeout: float) -> Outcome:
    try:
        with requests.Session() as session:
            # nothing of this machine's settings goes with it: no proxy, and no password of .netrc
            session.trust_env = False
            # only the head of the answer is read: there is nothing in it that is of use
            with session.post(
                url, body, headers=_HEADERS, timeout=timeout, allow_redirects=False, stream=True
            ) as answer:
                return _answered(answer.status_code)
    except requests.Timeout:
        return silence(timeout)
    except requests.exceptions.SSLError:
        return "refused", "Its certificate is not to be trusted"
    except requests.ConnectionError:
        return "sending", "Nobody answers there"
    except (requests.RequestException, ValueError):
        # what they say has the whole address in it, which may be a secret
        return "refused", "Its address is none that can be asked"


def _answered(status: int) -> Outcome:
    if status < 300:
        return "answered", f"Answered {status}"
    if status < 400:
        return "refused", f"Answered {status}, a redirect, which is not followed"
    if status in _LATER or status >= 500:
        return "sending", f"Answered {status}"
    return "refused", f"Refused: answered {status}"
