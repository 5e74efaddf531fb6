"""The private Dovecot, started for real: greeting, logins, mail, and its end."""

import imaplib
import pwd
import ssl
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.account import ordinary_account
from deploy.local.checkout import here
from deploy.local.dovecot import ImapEndpoint, private_dovecot
from deploy.local.failure import SetUpFailed
from deploy.local.packages import DOVECOT, Packages
from tests.deploy.local.test_instance import eventually, reachable_folder


@pytest.fixture(scope="module")
def unpacked() -> None:
    if not set(DOVECOT) <= Packages(here().packages.resolve()).versions().keys():
        pytest.fail("Dovecot is not unpacked here: run `make test` (or `make setup` before).", pytrace=False)


def masters() -> set[int]:
    """The Dovecots that run from our packages."""
    program = str(here().packages.resolve())
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if program in str((process / "exe").readlink()) and (process / "comm").read_text().strip() == "dovecot":
                found.add(int(process.name))
        except OSError:
            continue
    return found


def log_in(server: ImapEndpoint, name: str, password: str) -> imaplib.IMAP4_SSL:
    tls = ssl.create_default_context(cafile=server.ca_file)
    client = imaplib.IMAP4_SSL(server.host, server.imaps_port, ssl_context=tls)
    try:
        client.login(name, password)
    except imaplib.IMAP4.error:
        client.shutdown()
        raise
    return client


@pytest.mark.usefixtures("unpacked")
def test_it_takes_mail_over_tls_as_an_ordinary_account_and_is_gone_afterwards() -> None:
    others = masters()
    with reachable_folder() as folder, private_dovecot(here(), folder / "dovecot") as server:
        (master,) = masters() - others
        status = Path(f"/proc/{master}/status").read_text(encoding="ascii")
        assert f"\nUid:\t{ordinary_account().uid}\t" in status
        with log_in(server, "jan", server.password) as client:
            assert client.append("INBOX", "", "", b"Subject: x\r\n\r\n")[0] == "OK"
            assert client.select()[1] == [b"1"]
        with log_in(server, "piet", server.password) as client:
            assert client.select()[1] == [b"0"]
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            log_in(server, "jan", "mis")
        children = processes.descendants(master)
        assert children
    assert eventually(lambda: masters() == others)
    assert eventually(lambda: not any(processes.is_alive(child) for child in children))
    assert not Path(server.ca_file).exists()


def test_an_account_without_a_name_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(SetUpFailed, match="Dovecot needs a user with a name"), private_dovecot(here(), tmp_path / "d"):
        pass


def test_its_place_is_told_to_other_processes_whole_or_not_at_all() -> None:
    server = ImapEndpoint("127.0.0.1", 1143, 1993, "geheim", "/ca.pem")
    assert ImapEndpoint.named(server.environment()) == server
    with pytest.raises(SetUpFailed, match="TEST_IMAP_PASSWORD"):
        ImapEndpoint.named({"TEST_IMAP_PORTS": "1143 1993"})
