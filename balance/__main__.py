"""``python -m balance``."""

import sys

from balance.shell.main import main

if __name__ == "__main__":
    sys.exit(main())
