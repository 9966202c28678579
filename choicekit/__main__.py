"""The way in of the ``choicekit`` script and ``python -m choicekit``: light, so that Ctrl-C is heeded at once."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Load the command line and run it; an interrupt while it loads ends quietly, as one later does.

    Raises
    ------
    SystemExit
        With the exit code of the command; 130 where it was interrupted.
    """
    try:
        from choicekit.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing is half written\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
