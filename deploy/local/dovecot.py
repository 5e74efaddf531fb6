"""A private IMAP server: the distribution's Dovecot, on two loopback ports, with TLS; everything in it is thrown away.

Any name logs in with the one password and has a mailbox of its own. Dovecot 2.3 (Debian 12) and 2.4 (Debian 13) have
configuration languages of their own.
"""

import grp
import os
import pwd
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local import credentials, ports, processes
from deploy.local.account import Account, ordinary_account
from deploy.local.checkout import Checkout
from deploy.local.console import step
from deploy.local.failure import SetUpFailed
from deploy.local.moves import Moves
from deploy.local.packages import DOVECOT, Packages
from deploy.local.processes import Process
from deploy.local.server_log import last_words
from deploy.local.tools import plain_environment, run

_PORTS = {"imap": 1, "imaps": 1}
_STOP_SECONDS = 10
_POLL_SECONDS = 0.05
# Where the library looks for its modules and its own programs, and where it finds them from its working directory.
_BUILT_IN = {b"/usr/lib/dovecot/modules": b"./modules", b"/usr/bin/doveconf": b"./doveconf"}

_COMMON = """\
protocols = imap
listen = 127.0.0.1
base_dir = {run}
state_dir = {run}/state
instance_name = {name}
log_path = /dev/stderr
libexec_dir = {programs}
mail_plugin_dir = {programs}/modules
login_plugin_dir = {programs}/modules/login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
auth_failure_delay = 0
mail_max_userip_connections = 10000
ssl = yes
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Trash {{
    special_use = \\Trash
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  {unlimited}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""
_LANGUAGE_2_3 = """\
import_environment = TZ LD_LIBRARY_PATH={libraries}
ssl_cert = <{certificate}
ssl_key = <{certificate}
mail_location = maildir:{mail}/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={mail}/%u
}}
"""
_LANGUAGE_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
import_environment {{
  LD_LIBRARY_PATH = {libraries}
}}
ssl_server_cert_file = {certificate}
ssl_server_key_file = {certificate}
mail_driver = maildir
mail_path = {mail}/%{{user}}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {mail}/%{{user}}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class ImapEndpoint:
    """An IMAP server where any name logs in with one password."""

    host: str
    imap_port: int
    imaps_port: int
    password: str
    ca_file: str

    @classmethod
    def named(cls, environment: Mapping[str, str]) -> Self:
        """The one that `environment` of another process tells of; SetUpFailed when that is not all of it."""
        try:
            imap, imaps = environment["TEST_IMAP_PORTS"].split()
            password, ca_file = environment["TEST_IMAP_PASSWORD"], environment["TEST_IMAP_CA_FILE"]
        except (KeyError, ValueError):
            raise SetUpFailed(
                "TEST_IMAP_PORTS (two of them), TEST_IMAP_PASSWORD and TEST_IMAP_CA_FILE belong together."
            ) from None
        return cls("127.0.0.1", int(imap), int(imaps), password, ca_file)

    def environment(self) -> dict[str, str]:
        """What tells it to another process."""
        return {
            "TEST_IMAP_PORTS": f"{self.imap_port} {self.imaps_port}",
            "TEST_IMAP_PASSWORD": self.password,
            "TEST_IMAP_CA_FILE": self.ca_file,
        }


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A private Dovecot in `folder` (configuration, certificate, mail); its sockets are in `run`."""

    packages: Packages
    folder: Path
    run: Path
    """Short, since the path of a Unix socket has no more than 107 bytes."""
    log: Path
    account: Account
    endpoint: ImapEndpoint

    @property
    def _programs(self) -> Path:
        return self.packages.root / "usr/lib/dovecot"

    def prepare(self) -> None:
        """Write its configuration, and a copy of its library that finds the rest where it was unpacked."""
        library = self.packages.one("usr/lib/dovecot/libdovecot.so.0").read_bytes()
        for built_in, ours in _BUILT_IN.items():
            library = library.replace(b"\0" + built_in + b"\0", b"\0" + ours.ljust(len(built_in) + 1, b"\0"))
        (self.run / "lib").mkdir()
        (self.run / "lib/libdovecot.so.0").write_bytes(library)
        (self.run / "modules").symlink_to(self._programs / "modules")
        (self.run / "doveconf").symlink_to(self.packages.root / "usr/bin/doveconf")
        (self.run / "state").mkdir()
        (self.folder / "mail").mkdir()
        self._configuration_file.write_text(self._configuration(), encoding="utf-8")
        self.account.owns(self.run)
        self.account.owns(self.folder)

    def launch(self) -> Process:
        """Start the server; it ends with this process."""
        return processes.launch(
            [str(self.packages.one("usr/sbin/dovecot")), "-F", "-c", str(self._configuration_file)],
            environment=plain_environment(LD_LIBRARY_PATH=self._libraries),
            log=self.log,
            folder=self.run,
            tether=signal.SIGTERM,
            switch=self.account.switch,
        )

    def wait(self, process: Process) -> None:
        """Wait until it greets; raises SetUpFailed with its own words when it ends or stands still."""
        moves = Moves(process, self.log)
        while not self._greets():
            if not processes.is_alive(process) or moves.stands_still():
                raise SetUpFailed(f"Dovecot does not start: {last_words(self.log)} (all of it: {self.log})")
            time.sleep(_POLL_SECONDS)

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.endpoint.host, self.endpoint.imap_port), timeout=5) as connection:
                return connection.recv(4) == b"* OK"
        except OSError:
            return False

    @property
    def _configuration_file(self) -> Path:
        return self.folder / "dovecot.conf"

    @property
    def _libraries(self) -> str:
        own = (self.run / "lib", self._programs, self._programs / "modules/old-stats")
        return ":".join((*map(str, own), self.packages.libraries()))

    def _configuration(self) -> str:
        version = self.packages.versions().get("dovecot-core", "")
        numbers = re.match(r"(?:\d+:)?(\d+)\.(\d+)", version)
        newer = numbers is not None and (int(numbers[1]), int(numbers[2])) >= (2, 4)
        language = _LANGUAGE_2_4 if newer else _LANGUAGE_2_3
        return (language + _COMMON).format(
            run=self.run,
            name=self.run.name,
            programs=self._programs,
            libraries=self._libraries,
            certificate=self.folder / "server.pem",
            mail=self.folder / "mail",
            password=self.endpoint.password,
            user=_name_of(self.account),
            group=grp.getgrgid(self.account.gid).gr_name,
            imap=self.endpoint.imap_port,
            imaps=self.endpoint.imaps_port,
            unlimited="restart_request_count = unlimited" if newer else "service_count = 0",
        )


@contextmanager
def private_dovecot(checkout: Checkout, folder: Path) -> Iterator[ImapEndpoint]:
    """An empty Dovecot in `folder` for the length of a block; raises SetUpFailed.

    The packages are unpacked when they are not yet, the virtual environment must be there: it makes the certificate.
    """
    packages = Packages(checkout.packages.resolve())
    packages.bring(DOVECOT)
    account = ordinary_account()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settled = ports.settle(folder / "ports.json", _PORTS)
    _make_certificate(checkout, folder)
    password = credentials.keep(folder / "password")
    endpoint = ImapEndpoint(
        "127.0.0.1", settled["imap"], settled["imaps"], password, str(folder.with_suffix(".ca.pem"))
    )
    shutil.copyfile(folder / "ca.pem", endpoint.ca_file)  # outside the account's own folder
    sockets = Path(tempfile.mkdtemp(prefix="dovecot-"))
    dovecot = Dovecot(packages, folder, sockets, folder.with_suffix(".log"), account, endpoint)
    process = None
    try:
        with step("Dovecot answers"):
            dovecot.prepare()
            process = dovecot.launch()
            dovecot.wait(process)
        yield endpoint
    finally:
        if process is not None:
            processes.stop(process, signal.SIGTERM, _STOP_SECONDS)
        shutil.rmtree(sockets, ignore_errors=True)
        Path(endpoint.ca_file).unlink(missing_ok=True)


def _make_certificate(checkout: Checkout, folder: Path) -> None:
    made = run([str(checkout.python), "-m", "tests.servers.certificates", str(folder)], folder=checkout.root)
    if made.code != 0:
        raise SetUpFailed(f"Dovecot's certificate could not be made: {made.errors()}")


def _name_of(account: Account) -> str:
    try:
        return pwd.getpwuid(account.uid).pw_name
    except KeyError:
        raise SetUpFailed(
            f"Dovecot needs a user with a name: user {os.geteuid()} has none in /etc/passwd. Run this as another one."
        ) from None
