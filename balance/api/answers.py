"""Answers: values as JSON, and what a change is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from balance.api.encoding import answer, encoded
from balance.core.snapshot import Snapshot
from balance.desk.transactions import Outcome


def json_answer(value: Mapping[str, Any]) -> Response:
    """``value`` as a JSON answer that nobody keeps."""
    response = Response(encoded(value) + "\n", mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def changed(outcome: Outcome, **more: Any) -> Response:
    """The answer to a change that was made: the snapshot after it, the sentence that tells it, and
    ``more``."""
    response = json_answer(answer(outcome.snapshot, message=outcome.message, **more))
    response.headers["ETag"] = etag(outcome.snapshot)
    if outcome.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def etag(snapshot: Snapshot) -> str:
    """The entity tag of ``snapshot``; it begins with the revision, which is all that ``If-Match``
    goes by."""
    return f'"{snapshot.revision}-{snapshot.instance}.{snapshot.tick}"'
