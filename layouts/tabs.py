"""The tabs of the dashboard, in their order. A new one is added here."""

from layouts.auto import AUTO
from layouts.futures import FUTURES
from layouts.history import HISTORY
from layouts.overview import OVERVIEW

TABS = (OVERVIEW, AUTO, FUTURES, HISTORY)
