"""The commands behind the Makefile: `python3 -m deploy.local COMMAND`, or rather `make COMMAND`.

Exit codes: 0 done; 1 it could not be done, one sentence says why; 2 it cannot be done this way (see its sentence);
3 from `status`: not running; 130 interrupted; else that of pytest or the demo.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  the system's Python may be older than what the project asks for
    sys.exit(
        "Python 3.11 or later is needed, this is {}.{}: name a newer one, as in `make demo PYTHON=python3.12`.".format(
            *sys.version_info[:2]
        )
    )

from deploy.local.entry import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
