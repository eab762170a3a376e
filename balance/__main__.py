"""``python -m balance``."""

import sys

from balance.command import main

if __name__ == "__main__":
    sys.exit(main())
