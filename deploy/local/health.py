"""What a service says of itself on its health port."""

import json
import urllib.error
import urllib.request

_SECONDS = 4
"""Longer than a service waits for its own checks."""


def trouble(port: int, remedy: str = "it is started again by itself") -> str:
    """Why the service on this port of 127.0.0.1 is not ready, in a few words; '' when it is.

    `remedy` is what becomes of one that does not answer.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/health/ready", timeout=_SECONDS):
            return ""
    except urllib.error.HTTPError as answer:
        return f"is not ready: {_reasons(answer.read())}"
    except (TimeoutError, urllib.error.URLError) as error:
        if isinstance(error, TimeoutError) or isinstance(error.reason, TimeoutError):
            return f"hangs: port {port} gives no answer within {_SECONDS} seconds; {remedy}"
        return f"does not run: nothing listens on port {port}; {remedy}"
    except OSError as error:
        return f"breaks off: {error}"


def _reasons(answer: bytes) -> str:
    try:
        checks = json.loads(answer)["checks"]
        return "; ".join(f"{name}: {check['detail']}" for name, check in checks.items() if not check["ok"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "it does not say why"
