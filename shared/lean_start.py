"""Libraries without what no process of ours uses of them: import this before anything else that imports them.

structlog imports rich wherever that is installed, for coloured tracebacks that show local variables, so passwords and
mails: no process of ours uses them (`telemetry`). httpx imports its own command line, with click, pygments and rich's
progress bars, wherever those are installed. The command line brings rich along, for its tables; in a service it would
be a tenth of the start, and httpx's command line as much in each command that asks RabbitMQ something.
"""

from __future__ import annotations

import sys

sys.modules["httpx._main"] = None  # type: ignore[assignment]  # as if it were not there, whenever httpx is imported

_loaded = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]  # as if it were not installed (importlib, «The module cache»)
try:
    import structlog  # noqa: F401 - it finds no rich now, and is in the module cache from here on
finally:
    if _loaded is None:
        del sys.modules["rich"]
    else:
        sys.modules["rich"] = _loaded
