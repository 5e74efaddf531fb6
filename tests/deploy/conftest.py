"""Which tests are collected; every other test is always collected, and fails when it finds no server.

Those of Docker: where there is an engine. Those of the private servers: unless Docker is what was asked for.
"""

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers.prometheus import unpacked


def there_is_docker() -> bool:
    """Whether DOCKER_HOST names an engine (then a test that does not reach it fails), or one with Compose answers."""
    if os.environ.get("DOCKER_HOST"):
        return True
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect("/var/run/docker.sock")
        compose = ["docker", "compose", "version"]
        return subprocess.run(compose, capture_output=True, check=False).returncode == 0
    return False


collect_ignore = [
    *([] if there_is_docker() else ["test_running_containers.py"]),
    *(["local/test_instance.py", "test_interrupted_demo.py"] if os.environ.get("RUNTIME") == "docker" else []),
]


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The promtool that `make test` unpacks."""
    return unpacked("promtool")
