"""Elements of a page that are found anew where they have been drawn anew meanwhile: a row, a form
or a dialog may be, between any two looks of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.remote.webelement import WebElement

_Done = TypeVar("_Done")


class FoundElement(WebElement):
    """What ``find`` finds, at each time that it is used; ``find`` waits until there is one."""

    def __init__(self, find: Callable[[], WebElement]) -> None:
        self._find = find
        now = find()
        super().__init__(now.parent, now.id)

    def _execute(self, command: str, params: Any = None) -> Any:
        return self._as_it_is_now(lambda: super(FoundElement, self)._execute(command, params))

    def get_attribute(self, name: str) -> Any:
        """What Selenium finds by a script, and not by a command of its own."""
        return self._as_it_is_now(lambda: super(FoundElement, self).get_attribute(name))

    def is_displayed(self) -> bool:
        """What Selenium finds by a script, too."""
        return self._as_it_is_now(super().is_displayed)

    def _as_it_is_now(self, use: Callable[[], _Done]) -> _Done:
        while True:
            try:
                return use()
            except StaleElementReferenceException:
                self._id = self._find().id
