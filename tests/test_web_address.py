"""Addresses in the web: which server they are of."""

from __future__ import annotations

import pytest

from balance.core.web_address import origin


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://127.0.0.1:9000/alerts", "http://127.0.0.1:9000"),
        ("https://me:secret@Example.org/hook/token?key=1", "https://example.org"),
        ("https://example.org?key=me@home", "https://example.org"),
        ("HTTP://[::1]:80#x", "http://[::1]:80"),
        ("http://[nonsense/", "http://[nonsense"),
    ],
)
def test_an_origin_has_no_path_and_no_password(url: str, server: str) -> None:
    assert origin(url) == server
