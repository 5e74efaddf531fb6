"""Microsoft 365 on loopback, and logins at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.graph_server import GraphServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    """A cloud that this process takes for Microsoft's."""
    with GraphServer(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
