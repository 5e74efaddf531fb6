"""What the system refuses becomes a sentence that says what to do."""

import errno
import os

import pytest

from deploy.local.failure import sentence


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        pytest.param(errno.ENOSPC, "make room", id="disk full"),
        pytest.param(errno.EDQUOT, "make room", id="quota used up"),
        pytest.param(errno.EROFS, "clone it to a folder of your own", id="read-only file system"),
        pytest.param(errno.EACCES, "belongs to another user", id="somebody else's checkout"),
        pytest.param(errno.ENAMETOOLONG, "clone the project to a shorter one", id="path too long"),
        pytest.param(errno.ENOENT, "make clean", id="something is missing"),
        pytest.param(errno.EIO, "Input/output error", id="anything else"),
    ],
)
def test_the_sentence_says_what_to_do_and_where(number: int, advice: str) -> None:
    said = sentence(OSError(number, os.strerror(number), "/somewhere/.run"))
    assert advice in said
    assert "/somewhere/.run" in said
