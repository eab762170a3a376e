"""Addresses in the web: which server they are of."""

from __future__ import annotations

import pytest

from balance.alerts.settings import has_valid_host, is_web_address, origin


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


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "example.org", "Example.ORG.", "a_b.example", "xn--mnchen-3ya.de", "my-nas"),
        *("127.0.0.1", "192.168.1.30:9000", "[::1]", "[fe80::1:2]:8443", "me:secret@example.org"),
    ],
)
def test_a_name_or_a_whole_address_can_be_asked(host: str) -> None:
    assert is_web_address(f"https://{host}/hook")
    assert has_valid_host(f"https://{host}/hook?to=%zz")


@pytest.mark.parametrize(
    "host",
    [
        *("192.168.1.300:9000", "1.2.3.4.5", "10.1", "example.0x7f", "1.2.3.4.", "%zz"),
        *("exa<mple.com", "a..b", ".", ".example.org", "xn--a", f"{'x' * 64}.org", "a^b", "a~b"),
        *("[::1%25eth0]", "[v1.x]", "[::1]x", "a[::1]", "[1.2.3.4]", "[]"),
    ],
)
def test_what_browsers_or_posts_choke_on_can_not_be_asked(host: str) -> None:
    assert not has_valid_host(f"http://{host}/hook")
