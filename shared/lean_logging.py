"""structlog without rich: import this before anything else that imports structlog.

structlog imports rich wherever that is installed, for coloured tracebacks that show local variables, so passwords and
mails: no process of ours uses them (`telemetry`). The command line brings rich along, for its tables; in a service it
would be a tenth of the start.
"""

from __future__ import annotations

import sys

_loaded = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]  # as if it were not installed (importlib, «The module cache»)
try:
    import structlog  # noqa: F401 - it finds no rich now, and is in the module cache from here on
finally:
    if _loaded is None:
        del sys.modules["rich"]
    else:
        sys.modules["rich"] = _loaded
