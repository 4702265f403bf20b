"""``python -m leadline``."""

from __future__ import annotations

from leadline.cli.main import main

if __name__ == "__main__":
    main()
