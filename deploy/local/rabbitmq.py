"""A private RabbitMQ with its management plugin: one node on loopback ports, with an epmd of its own.

The Erlang machine is started directly, not by RabbitMQ's shell scripts: those take no path with a space and leave a
shell in between. Erlang's port mapper (epmd) is ours too, so that no other Erlang on the machine is met or disturbed.
"""

import base64
import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deploy.local import credentials, ports, processes
from deploy.local.endpoints import RabbitmqEndpoint
from deploy.local.failure import SetUpFailed
from deploy.local.moves import Moves
from deploy.local.packages import Packages
from deploy.local.processes import Process
from deploy.local.server_log import last_words
from deploy.local.tools import plain_environment

_STOP_SECONDS = 60
_POLL_SECONDS = 0.1
_OPEN_FILES = 16_384
"""As in compose. Where a person's shell gives it 1,024, RabbitMQ 3.10 has none left for the thirtieth virtual host, of
which each quorum queue reserves two, and it and whoever connects wait for ever."""
_EPMD_SECONDS = 10


class Ports(NamedTuple):
    """Where a node listens: AMQP, management API and console, Erlang distribution, epmd."""

    amqp: int
    management: int
    distribution: int
    epmd: int


@dataclass(frozen=True, slots=True)
class Rabbitmq:
    """A private RabbitMQ node in `folder`; `administrator` and `vhost` are made at its first start."""

    packages: Packages
    folder: Path
    log: Path
    ports: Ports
    administrator: str
    password: str
    vhost: str
    durable: bool
    """False: its data is thrown away, so that it need not be stopped gently (which takes it seven seconds)."""
    name: str = "importer"
    cluster: tuple[str, ...] = ()
    """The names of all nodes of its cluster, its own too; none: it is alone."""

    @property
    def node(self) -> str:
        """By what name Erlang knows it."""
        return f"{self.name}@localhost"

    @property
    def endpoint(self) -> RabbitmqEndpoint:
        login = f"{self.administrator}:{self.password}"
        return RabbitmqEndpoint(
            f"amqp://{login}@127.0.0.1:{self.ports.amqp}/", f"http://{login}@127.0.0.1:{self.ports.management}"
        )

    @property
    def _erlang(self) -> Path:
        return self.packages.root / "usr/lib/erlang"

    @property
    def _runtime(self) -> Path:
        return self.packages.one("usr/lib/erlang/erts-*/bin")

    def prepare(self) -> None:
        """Write the node's configuration, and the launcher by which RabbitMQ itself finds Erlang."""
        home = self.folder / "home"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        credentials.keep(home / ".erlang.cookie")
        (home / ".erlang.cookie").chmod(0o400)
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n", encoding="ascii")
        (self.folder / "environment").touch()
        configuration = self.folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(self._configuration(), encoding="utf-8")
        self._write_launcher()

    def launch_port_mapper(self) -> Process:
        """Start epmd and wait until it listens: a node without it would start one that outlives us."""
        process = processes.launch(
            [str(self._runtime / "epmd")],
            environment=self._environment(),
            log=self.log,
            folder=self.folder,
            tether=None if self.durable else signal.SIGTERM,
        )
        deadline = time.monotonic() + _EPMD_SECONDS
        while ports.is_free(self.ports.epmd):
            if not processes.is_alive(process) or time.monotonic() > deadline:
                raise SetUpFailed(f"Erlang's port mapper does not start: {last_words(self.log)}")
            time.sleep(_POLL_SECONDS / 10)
        return process

    def launch(self) -> Process:
        """Start the node; `wait` tells when it answers. One that is not durable ends with this process."""
        plugins = self._rabbitmq / "plugins"
        environment = self._environment() | {
            "ERL_LIBS": str(plugins),
            "RABBITMQ_HOME": str(self._rabbitmq),
            "RABBITMQ_PLUGINS_DIR": str(plugins),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",  # all of it to standard output, so into our log
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment"),
        }
        return processes.launch(
            [
                *processes.with_open_files(_OPEN_FILES),
                str(self._runtime / "erlexec"),
                *("-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl", "+W", "w", "+B", "i"),
                # as RabbitMQ's own script does: allocators for many binaries, no spinning while idle
                *("+MBas", "ageffcbf", "+MHas", "ageffcbf", "+MBlmbcs", "512", "+MHlmbcs", "512", "+MMmcs", "30"),
                *("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),
                *("-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"),
                *("-kernel", "prevent_overlapping_partitions", "false"),
                *("-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
            ],
            environment=environment,
            log=self.log,
            folder=self.folder,
            tether=None if self.durable else signal.SIGKILL,  # while Erlang starts it heeds no other
        )

    def wait(self, process: Process) -> None:
        """Wait until the node takes connections; raises SetUpFailed with its own words when it ends or stands still."""
        moves = Moves(process, self.log)
        while not self.answers(seconds=10):
            if not processes.is_alive(process) or moves.stands_still():
                raise SetUpFailed(f"RabbitMQ does not start: {last_words(self.log)} (all of it: {self.log})")
            time.sleep(_POLL_SECONDS)

    def stop(self, process: Process) -> None:
        """Stop the node, gently when its data is to be kept."""
        processes.stop(process, signal.SIGTERM if self.durable else signal.SIGKILL, _STOP_SECONDS)

    @property
    def _rabbitmq(self) -> Path:
        return self.packages.one("usr/lib/rabbitmq/lib/rabbitmq_server-*")

    def _configuration(self) -> str:
        peers = "".join(
            f"cluster_formation.classic_config.nodes.{number} = {name}@localhost\n"
            for number, name in enumerate(self.cluster, start=1)
        )
        return f"""\
{peers}listeners.tcp.1 = 127.0.0.1:{self.ports.amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {self.ports.management}
default_user = {self.administrator}
default_pass = {self.password}
default_vhost = {self.vhost}
default_user_tags.administrator = true
log.console.level = warning
"""

    def _environment(self) -> dict[str, str]:
        search = f"{self._erlang / 'bin'}:{os.environ.get('PATH', os.defpath)}"
        environment = {
            name: value
            for name, value in plain_environment().items()
            if not name.startswith(("RABBITMQ_", "ERL_")) and name != "NOTIFY_SOCKET"
        }
        return environment | {
            "PATH": search,
            "HOME": str(self.folder / "home"),
            "LD_LIBRARY_PATH": self.packages.libraries(),
            "ROOTDIR": str(self._erlang),
            "BINDIR": str(self._runtime),
            "EMU": "beam",
            "PROGNAME": "erl",
            "ERL_EPMD_PORT": str(self.ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_MAX_ETS_TABLES": "50000",
            "ERL_MAX_PORTS": "65536",
            "SYS_PREFIX": "",
        }

    def _write_launcher(self) -> None:
        # RabbitMQ runs bin/erl to see to epmd; the packaged script has /usr/lib/erlang written into it.
        launcher = self._erlang / "bin/erl"
        version = self._runtime.parent.name
        text = (
            "#!/bin/sh\n"
            "# Written by deploy/local/rabbitmq.py: Erlang where it was unpacked.\n"
            'ROOTDIR=$(cd -P "$(dirname "$(readlink -f "$0")")/.." && pwd)\n'
            f'BINDIR="$ROOTDIR/{version}/bin" EMU=beam PROGNAME=erl\n'
            "export ROOTDIR BINDIR EMU PROGNAME\n"
            'exec "$BINDIR/erlexec" "$@"\n'
        )
        if launcher.read_text(encoding="utf-8") != text:
            launcher.write_text(text, encoding="utf-8")

    def answers(self, *, seconds: float = 2) -> bool:
        """Whether it takes connections, and says so within so many seconds."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports.management}/api/overview")
        login = base64.b64encode(f"{self.administrator}:{self.password}".encode()).decode("ascii")
        request.add_header("Authorization", f"Basic {login}")
        try:
            # no proxy, whatever the environment says: this is the loopback interface
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=seconds) as answer:
                listeners = json.load(answer)["listeners"]
        except (OSError, urllib.error.URLError, ValueError, KeyError):
            return False
        # the management API answers a moment before AMQP is listened on
        return any(re.fullmatch("amqp", listener["protocol"]) for listener in listeners)
