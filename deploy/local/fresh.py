"""`make fresh`: the commands that a newcomer types, on clean Debian systems, from the committed state of this checkout.

Each system is a folder (`clean_root`), removed afterwards. There, as an ordinary user: `make demo` twice, `make test`;
then `make demo` once more as root in a private home, and `deploy/systemd/install`, whose units the systemd of that
system must take without a word and find shut in. What each took is printed as a table.
"""

import json
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import processes
from deploy.local.checkout import Checkout
from deploy.local.console import say
from deploy.local.failure import CannotBeDoneThisWay, SetUpFailed
from deploy.local.tools import Ended, plain_environment, run

SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
_NEWCOMER = "newcomer"
# as `python -m deploy.demo` prints it
_FIRST_TICKET = re.compile(r"^First ticket ([\d.]+) s", re.MULTILINE)
_COLUMNS = ("first ticket", "demo", "first ticket again", "demo again", "test", "demo as root", "systemd")
_WORST = 12
"""Of `systemd-analyze security --threshold`, in tenths: what tests/deploy/systemd holds the units to."""


@dataclass(slots=True)
class Findings:
    """What one system showed: versions, seconds by column, and what failed."""

    suite: str
    versions: str = "-"
    seconds: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def refuse_impossible(suites: Sequence[str]) -> None:
    """Raise CannotBeDoneThisWay for who is not root, and for a suite that we do not know."""
    if os.geteuid() != 0:
        raise CannotBeDoneThisWay("Only root can make a clean system to try things on: `sudo make fresh`.")
    for suite in suites:
        if suite not in SUITES:
            raise CannotBeDoneThisWay(f"There is no suite {suite}: SUITE is one of {', '.join(SUITES)}.")


def try_fresh(checkout: Checkout, suites: Sequence[str]) -> int:
    """Try all of it on each suite; 0 when everything went well. The logs stay in `.run/fresh/`."""
    findings = [_System(checkout, suite).explore() for suite in suites]
    say("")
    for line in table(findings):
        say(line)
    for one in findings:
        for failure in one.failures:
            say(f"{SUITES[one.suite]}: {failure}")
    return 1 if any(one.failures for one in findings) else 0


def table(findings: Sequence[Findings]) -> list[str]:
    """The findings as aligned lines, seconds in the columns."""
    rows: list[tuple[str, ...]] = [("", *_COLUMNS, "with")]
    for one in findings:
        cells = (f"{one.seconds[column]:.0f} s" if column in one.seconds else "-" for column in _COLUMNS)
        rows.append((SUITES[one.suite], *cells, one.versions))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _last_line(output: str) -> str:
    lines = [line.strip("= ") for line in output.splitlines() if line.strip() and not line.startswith("make")]
    return lines[-1] if lines else "it said nothing"


class _System:
    """One clean Debian in a folder of this checkout's `.run`."""

    def __init__(self, checkout: Checkout, suite: str) -> None:
        self._checkout = checkout
        self._logs = checkout.run.resolve() / "fresh"
        self._root = self._logs / suite
        self._tool = str(checkout.root / "deploy/local/clean_root")
        self._findings = Findings(suite)

    def explore(self) -> Findings:
        self._logs.mkdir(parents=True, exist_ok=True)
        say(f"{SUITES[self._findings.suite]}: making a clean system in {self._root}")
        try:
            self._make()
            home = f"/home/{_NEWCOMER}/helpdesk-importer"
            self._clone(home, owner=_NEWCOMER)
            self._demo("demo", "first ticket", home, user=_NEWCOMER)
            self._demo("demo again", "first ticket again", home, user=_NEWCOMER)
            self._make_command("test", "make test", home, user=_NEWCOMER)
            self._findings.versions = self._versions(home)
            self._clone("/root/helpdesk-importer", owner="root")
            self._demo("demo as root", None, "/root/helpdesk-importer", user="root")
            self._install("/root/helpdesk-importer")
        except SetUpFailed as failure:
            self._findings.failures.append(str(failure))
        finally:
            self._end_what_is_left()
            run([self._tool, "drop", str(self._root)])
        return self._findings

    def _make(self) -> None:
        made = run([self._tool, "make", self._findings.suite, str(self._root)], environment=plain_environment())
        if made.code != 0:
            raise SetUpFailed(f"the clean system could not be made: {made.errors()}")
        self._inside(f"useradd --create-home {_NEWCOMER}; chmod 700 /root")

    def _clone(self, folder: str, *, owner: str) -> None:
        # from a bundle: the newcomer's git needs no access to this checkout, and takes only what is committed
        bundle = self._root / "tmp/importer.bundle"
        bundled = run(["git", "-C", str(self._checkout.root), "bundle", "create", str(bundle), "HEAD"])
        if bundled.code != 0:
            raise SetUpFailed(f"this checkout could not be cloned: {bundled.errors()}")
        bundle.chmod(0o644)
        self._inside(f"runuser -u {owner} -- git clone --quiet /tmp/importer.bundle {folder}")

    def _demo(self, column: str, first_ticket: str | None, folder: str, *, user: str) -> None:
        output = self._make_command(column, "make demo", folder, user=user)
        if first_ticket is not None and (match := _FIRST_TICKET.search(output)):
            self._findings.seconds[first_ticket] = float(match[1])

    def _install(self, folder: str) -> None:
        """As an administrator does it, twice: the second time is an upgrade, which leaves settings and secrets."""
        needed = "python3-venv systemd man-db"
        self._inside(f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {needed} >/dev/null")
        self._make_command("systemd", "deploy/systemd/install", folder, user="root")
        kept = "cd /etc/helpdesk-importer && sha256sum environment secrets/*"
        self._inside(f"{kept} >/tmp/before && cd {folder} && deploy/systemd/install && {kept} | cmp - /tmp/before")
        units = "/etc/systemd/system/helpdesk-importer*.service"
        self._inside(
            f"for unit in {units}; do systemd-analyze security --offline=yes --threshold={_WORST} $unit || exit 1; done"
        )

    def _make_command(self, column: str, command: str, folder: str, *, user: str) -> str:
        log = self._logs / f"{self._findings.suite}-{column.replace(' ', '-')}.log"
        say(f"  {command} as {user} (log: {log})")
        started = time.monotonic()
        as_user = f"runuser -u {user} -- env HOME=$(getent passwd {user} | cut -d: -f6)"
        script = f"cd {folder} && {as_user} {command}"
        # straight into the log, so that one can follow it
        into_log = ["bash", "-c", 'exec "$@" >"$0" 2>&1 </dev/null', str(log)]
        done = run([*into_log, self._tool, "run", str(self._root), script], environment=plain_environment())
        done = Ended(done.code, log.read_text(encoding="utf-8", errors="replace"))
        self._findings.seconds[column] = time.monotonic() - started
        if done.code != 0:
            self._findings.failures.append(
                f"`{command}` as {user} ended with {done.code}: {_last_line(done.output)} ({log})"
            )
        if left := self._end_what_is_left():
            self._findings.failures.append(f"`{command}` as {user} left processes behind: {', '.join(left)}")
        return done.output

    def _inside(self, script: str) -> None:
        done = run([self._tool, "run", str(self._root), script], environment=plain_environment())
        if done.code != 0:
            raise SetUpFailed(f"`{script}` failed: {done.errors()}")

    def _versions(self, folder: str) -> str:
        unpacked = self._root / folder.lstrip("/") / ".run/packages/unpacked.json"
        try:
            packages: dict[str, str] = json.loads(unpacked.read_text(encoding="utf-8"))["packages"]
        except (FileNotFoundError, ValueError, KeyError):
            return "-"
        python = run([self._tool, "run", str(self._root), "python3 --version"], environment=plain_environment())
        postgres = next(name for name in packages if name.startswith("postgresql-") and name[-1].isdigit())
        rabbitmq = packages["rabbitmq-server"].partition("-")[0]
        return f"{python.output.strip()}, RabbitMQ {rabbitmq}, PostgreSQL {packages[postgres].partition('-')[0]}"

    def _end_what_is_left(self) -> list[str]:
        """End the processes that still run in the clean system; their command lines."""
        left = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and (entry / "root").readlink().is_relative_to(self._root):
                    words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                    process = processes.identify(int(entry.name))
                    os.kill(process.pid, 9)
                    processes.wait_until_gone(process, 10)
                    left.append(" ".join(words)[:80].strip())
        return left


def clean_fresh(checkout: Checkout) -> None:
    """Unmount and remove the systems that an interrupted try left."""
    for suite in SUITES:
        root = checkout.run.resolve() / "fresh" / suite
        if root.exists():
            run([str(checkout.root / "deploy/local/clean_root"), "drop", str(root)])
