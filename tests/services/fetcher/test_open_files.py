"""How many files the fetcher may open, which is how many mailboxes it can hold."""

import resource
import subprocess
import sys

import pytest

CODE = """
import resource
from services.fetcher.open_files import allow_many
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(allow_many(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


@pytest.mark.parametrize(
    ("soft", "hard", "allowed"),
    [
        pytest.param(1024, 4096, 4096, id="up to what the system allows"),
        pytest.param(1024, 1024, 1024, id="nothing more is allowed"),
        pytest.param(4096, 4096, 4096, id="it is raised already"),
    ],
)
def test_the_limit_is_raised_to_what_may_be_had(soft: int, hard: int, allowed: int) -> None:
    if HARD != -1 and hard > HARD:
        pytest.skip("this machine allows fewer files than the case needs")
    code = CODE.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(allowed), str(allowed), str(hard)]
