"""What goes wrong on the way to Microsoft, as the caller gets it."""

import ssl

import httpx
import pytest

from shared.microsoft.errors import Unavailable
from shared.microsoft.http import network_trouble


@pytest.mark.parametrize("silence", [ssl.SSLWantReadError(), ssl.SSLEOFError()], ids=["hangs", "ends"])
def test_a_server_that_hangs_in_the_handshake_is_away_and_no_matter_of_certificates(silence: ssl.SSLError) -> None:
    timed_out = httpx.ConnectTimeout("nothing came")
    timed_out.__cause__ = silence
    with pytest.raises(Unavailable) as away, network_trouble("graph.example"):
        raise timed_out
    assert type(away.value) is Unavailable
    assert "certificaat" not in str(away.value)
