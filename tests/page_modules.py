"""What a test has a page do with its own modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layouts.bundle import modules


def run(browser: Any, imports: Mapping[str, str], script: str, *arguments: object) -> Any:
    """What ``script``, the body of a function with ``arguments``, returns in the page, where it
    knows each name of ``imports`` as the module at its path exports it."""
    folder = modules().folder
    paths = ", ".join(f'import("{folder}/{path}")' for path in imports.values())
    names = ", ".join(f"{{ {name} }}" for name in imports)
    return browser.driver.execute_async_script(
        f"""
        const done = arguments[arguments.length - 1];
        const values = [...arguments].slice(0, -1);
        Promise.all([{paths}]).then(([{names}]) =>
            done((function () {{ {script} }}).apply(null, values)),
        );
        """,
        *arguments,
    )
