"""Of all that a program or a server prints, the line that a person needs."""

from pathlib import Path

import pytest

from deploy.local.server_log import last_words
from deploy.local.tools import Ended


@pytest.mark.parametrize(
    ("log", "words"),
    [
        pytest.param(
            "LOG:  starting PostgreSQL\nFATAL:  could not create any TCP/IP sockets\nLOG:  shut down\n",
            "FATAL:  could not create any TCP/IP sockets",
            id="the error before the closing line",
        ),
        pytest.param("ERROR: of yesterday\nERROR: of today\n", "ERROR: of today", id="the last of several errors"),
        pytest.param("starting\n\nstopped\n\n", "stopped", id="without an error the last line"),
        pytest.param("", "it wrote nothing", id="an empty log"),
    ],
)
def test_a_log_says_why_its_server_ended(tmp_path: Path, log: str, words: str) -> None:
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == words


def test_a_server_may_have_written_no_log_at_all(tmp_path: Path) -> None:
    assert last_words(tmp_path / "log") == "it wrote no log"


@pytest.mark.parametrize(
    ("output", "error"),
    [
        pytest.param(
            "Reading package lists...\nW: old list\nE: Unable to locate package postgresql\n",
            "E: Unable to locate package postgresql",
            id="apt: an error before a warning",
        ),
        pytest.param("Collecting x\nERROR: No matching distribution found\n", "ERROR: No matching", id="pip"),
        pytest.param("something\nwent wrong\n", "went wrong", id="without a mark the last line"),
        pytest.param("", "nothing (exit code 7)", id="silence"),
    ],
)
def test_a_failed_program_is_quoted(output: str, error: str) -> None:
    assert Ended(7, output).errors().startswith(error)
