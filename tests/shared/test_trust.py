"""Which certificates are trusted, for every server alike."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from shared.trust import UnusableCaFile, tls_context
from tests.servers.certificates import make_certificates


def test_a_ca_file_is_trusted_alone_and_as_it_is(tmp_path: Path) -> None:
    context = tls_context(str(make_certificates(tmp_path).ca_file), "imap")
    assert len(context.get_ca_certs()) == 1
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_context_is_shared_by_those_who_speak_one_protocol_alone() -> None:
    """Httpx writes its ALPN into the context: an IMAP server may refuse who asks for HTTP (RFC 7301 §3.2)."""
    assert tls_context(None, "imap") is tls_context(None, "imap")
    assert tls_context(None, "imap") is not tls_context(None, "https")


def test_a_ca_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = make_certificates(tmp_path).ca_file
    before = tls_context(str(file), "imap")
    os.utime(file, (1, 1))
    assert tls_context(str(file), "imap") is not before


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem", "nul\0.pem"])
def test_a_ca_file_that_is_none_is_said_in_both_languages(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(UnusableCaFile, match="check its path") as trouble:
        tls_context(str(tmp_path / name), "imap")
    assert "controleer het pad" in trouble.value.sentence
