"""`server-certificates`: what PostgreSQL and RabbitMQ show, made once, made anew in time, trusted all the while."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from services.console.commands.server_certificates import server_certificates
from services.console.server_certificates import AUTHORITY_LIFE, SERVER_LIFE, make_certificates
from shared.errors import Misconfigured

NOW = datetime.now(UTC)
SERVERS = ("postgres", "rabbitmq")


def made_anew(folder: Path, *names: str, after: timedelta = timedelta(0)) -> dict[str, bool]:
    return {one.name: one.is_new for one in make_certificates(folder, SERVERS, names, now=NOW + after)}


def shakes_hands(folder: Path, server: str, called: str, trusted: bytes | None = None) -> bool:
    """Whether a client that trusts `public/ca.pem`, as strictly as Python can, takes the server for `called`."""
    client_side = ssl.create_default_context(cadata=(trusted or (folder / "public/ca.pem").read_bytes()).decode())
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(folder / server / "certificate.pem", folder / server / "key.pem")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=called)
    there = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, there):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


@pytest.mark.parametrize(
    ("called", "expected"),
    [("postgres", True), ("localhost", True), ("127.0.0.1", True), ("db.desk.example", True), ("rabbitmq", False)],
)
def test_a_server_is_known_by_its_names_and_by_no_others(tmp_path: Path, called: str, *, expected: bool) -> None:
    make_certificates(tmp_path, SERVERS, ("db.desk.example",), now=NOW)
    assert shakes_hands(tmp_path, "postgres", called) is expected


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        make_certificates(tmp_path / name, SERVERS, (), now=NOW)
    trusted = (tmp_path / "theirs/public/ca.pem").read_bytes()
    assert not shakes_hands(tmp_path / "ours", "postgres", "postgres", trusted)


def test_they_stay_until_a_year_before_their_end_and_when_a_name_is_added(tmp_path: Path) -> None:
    assert made_anew(tmp_path) == {"authority": True, "postgres": True, "rabbitmq": True}
    nothing = {"authority": False, "postgres": False, "rabbitmq": False}
    assert made_anew(tmp_path, after=timedelta(days=360)) == nothing
    assert made_anew(tmp_path, "db.desk.example") == nothing | {"postgres": True, "rabbitmq": True}
    assert made_anew(tmp_path) == nothing, "a name more is no harm"
    assert made_anew(tmp_path, after=timedelta(days=366)) == nothing | {"postgres": True, "rabbitmq": True}


def test_a_new_authority_and_the_earlier_one_are_trusted_until_that_ends(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), now=NOW - AUTHORITY_LIFE + SERVER_LIFE)
    before = (tmp_path / "public/ca.pem").read_bytes()
    assert made_anew(tmp_path) == {"authority": True, "postgres": True, "rabbitmq": True}
    trusted = (tmp_path / "public/ca.pem").read_bytes()
    assert trusted.endswith(before)
    assert shakes_hands(tmp_path, "postgres", "postgres")
    assert made_anew(tmp_path, after=SERVER_LIFE)["authority"] is False
    assert made_anew(tmp_path, after=AUTHORITY_LIFE - SERVER_LIFE)["authority"] is True
    assert before not in (tmp_path / "public/ca.pem").read_bytes(), "what has ended is not trusted"


def test_what_a_killed_job_left_is_made_anew(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), now=NOW)
    (tmp_path / "postgres/certificate.pem").unlink()
    (tmp_path / "rabbitmq/key.pem").unlink()
    (tmp_path / "rabbitmq/key.pem").write_bytes((tmp_path / "postgres/key.pem").read_bytes())
    assert made_anew(tmp_path) == {"authority": False, "postgres": True, "rabbitmq": True}
    assert shakes_hands(tmp_path, "rabbitmq", "rabbitmq")


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), now=NOW)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.rglob("key.pem")} == {0o400}
    assert {folder.stat().st_mode & 0o077 for folder in (tmp_path / "authority", tmp_path / "postgres")} == {0}


def test_the_command_says_what_it_made_and_until_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server_certificates(tmp_path, ["postgres"], ["a,b"])
    certificate = x509.load_pem_x509_certificate((tmp_path / "postgres/certificate.pem").read_bytes())
    assert f"postgres: made, until {certificate.not_valid_after_utc:%Y-%m-%d}" in capsys.readouterr().out
    assert certificate.not_valid_after_utc - NOW >= SERVER_LIFE - timedelta(seconds=1)
    assert shakes_hands(tmp_path, "postgres", "b")


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    make_certificates(tmp_path, SERVERS, (), now=NOW)
    (tmp_path / "authority/certificate.pem").unlink()
    (tmp_path / "authority/certificate.pem").write_text("no certificate")
    with pytest.raises(Misconfigured, match="damaged"):
        server_certificates(tmp_path, ["postgres"])


@pytest.mark.parametrize("name", ["authority", "public", "../elsewhere", "/elsewhere", "", ".hidden"])
def test_a_servers_key_takes_no_place_but_that_of_a_server(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be a server"):
        make_certificates(tmp_path / "certificates", ["postgres", name], [], now=datetime.now(UTC))
    assert not [*tmp_path.iterdir()]
