"""The page on which a person shows the server's token; it needs nothing from elsewhere."""

from __future__ import annotations

from typing import Final

from flask import Response

SIGN_IN_PATH: Final = "/sign-in"

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in - Virtual Balance</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; font: 14px system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 100vh; margin: 0; }}
form {{ display: grid; gap: 16px; width: min(320px, calc(100vw - 48px)); }}
h1 {{ font-size: 18px; margin: 0; }}
p {{ margin: 0; }}
input, button {{ font: inherit; padding: 8px 12px; width: 100%; box-sizing: border-box; }}
</style>
</head>
<body>
<form method="post" action="{path}">
<h1>Virtual Balance</h1>
<p>{message}</p>
<label>Token <input name="token" type="password" autocomplete="current-password" required
autofocus></label>
<button>Sign in</button>
</form>
</body>
</html>
"""


def sign_in_page(base_path: str = "", *, wrong: bool = False) -> Response:
    """The page of a server below ``base_path``, with status 401; ``wrong`` where a token was shown
    and is not the one."""
    message = (
        "That is not the token. Look at how the server was started."
        if wrong
        else "This server was started with a token. Enter it to see the balance."
    )
    page = _PAGE.format(path=f"{base_path}{SIGN_IN_PATH}", message=message)
    response = Response(page, 401, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response
