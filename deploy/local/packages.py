"""RabbitMQ, PostgreSQL and Dovecot as the distribution packages them, unpacked into a folder: nothing is installed.

apt works with lists, a status and a cache of our own, so neither root nor the machine's package system is involved;
it verifies every download against the distribution's signatures as ever. The servers themselves are always unpacked,
even on a machine that has them installed; what they need from the system (libraries) is unpacked where it is missing.
"""

import json
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.console import Step, step
from deploy.local.failure import SetUpFailed
from deploy.local.tools import Ended, plain_environment, run

SERVERS = ("rabbitmq-server", "postgresql")
DOVECOT = ("dovecot-imapd",)
"""The IMAP server of the tests, and of the demo with MAILBOX=imap."""
BROWSER = ("chromium", "fonts-dejavu-core", "libatomic1")
"""For the tests of the web console; the last for the Node in Playwright's wheel, which drives the browser."""
PIP = ("python3-pip-whl",)
PROMETHEUS = ("prometheus", "prometheus-alertmanager")
"""Its promtool checks the alert rules and the dashboard; both servers run in the tests of the alerts."""

# Taken for missing even where the machine has them.
_OURS = re.compile(
    r"(rabbitmq-server|erlang(-.*)?|postgresql(-.*)?|dovecot-.*|python3-pip-whl|prometheus(-alertmanager)?)"
)
# Needed by the packages for what we leave alone: LLVM is for PostgreSQL's JIT (120 MB, switched off), Perl for the
# scripts of postgresql-common, Sieve for delivery that Dovecot does not do here, scripts and fonts for Prometheus' web
# pages (the browser of the tests has one), the rest to run as a system service.
_LEFT_OUT = re.compile(
    r"libjs-.*|fonts-(?!dejavu-core).*|node-.*|prometheus-node-exporter.*|"
    r"libllvm.*|libz3.*|dovecot-sieve|perl.*|lib.*-perl|libperl.*|libgdbm.*|locales|libc-l10n"
    r"|logrotate|libpopt0|cron.*|adduser|procps|libproc2.*|socat|libwrap0|netbase|ssl-cert|ucf|sensible-utils"
)
# How long apt's lists name packages that can still be downloaded, to be on the safe side.
_FRESH_SECONDS = 600
_INSTALLED = Path("/var/lib/dpkg/status")


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the distribution in the version that apt chose."""

    name: str
    version: str


def status_without_servers(status: str) -> str:
    """The status of dpkg without the servers and without whatever depends on them: a consistent system, for apt."""
    stanzas = {}
    for stanza in status.strip().split("\n\n"):
        if name := re.search(r"^Package: (\S+)$", stanza, re.MULTILINE):
            stanzas[name[1]] = stanza
    kept = {name for name in stanzas if not _OURS.fullmatch(name)}
    while needy := {name for name in kept if _lacks_something(stanzas[name], kept, stanzas.keys() - kept)}:
        kept -= needy
    return "\n\n".join(stanza for name, stanza in stanzas.items() if name in kept) + "\n"


def _lacks_something(stanza: str, kept: AbstractSet[str], dropped: AbstractSet[str]) -> bool:
    for line in re.findall(r"^(?:Pre-)?Depends: (.*)$", stanza, re.MULTILINE):
        for alternatives in line.split(","):
            names = {re.split(r"[\s:(]", one.strip())[0] for one in alternatives.split("|")}
            if names & dropped and not names & kept:
                return True
    return False


def chosen(simulation: str) -> tuple[Package, ...]:
    """The packages that `apt-get --simulate install` would install, less those that we can do without."""
    installed = re.findall(r"^Inst (\S+) (?:\[[^]]*\] )?\((\S+) ", simulation, re.MULTILINE)
    return tuple(
        Package(name, version) for name, version in installed if not _LEFT_OUT.fullmatch(name.partition(":")[0])
    )


class Packages:
    """The distribution's packages under one folder: `root` is laid out as `/` would be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "root"

    def versions(self) -> dict[str, str]:
        """The versions that have been unpacked, by package name."""
        try:
            stamp = json.loads((self._folder / "unpacked.json").read_text(encoding="utf-8"))
            packages: dict[str, str] = stamp["packages"] if stamp["system"] == _system() else {}
        except (FileNotFoundError, ValueError, KeyError):
            return {}
        return packages

    def libraries(self) -> str:
        """LD_LIBRARY_PATH for the programs in `root`."""
        folders = [*self.root.glob("usr/lib/*-linux-gnu*"), *self.root.glob("lib/*-linux-gnu*")]
        return ":".join(str(path) for path in folders)

    def one(self, pattern: str) -> Path:
        """The one file or folder under `root` that matches; of several versions the highest."""
        versions = sorted(
            self.root.glob(pattern), key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))]
        )
        if not versions:
            raise SetUpFailed(f"The unpacked packages have no {pattern}: `make clean`, then try again.")
        return versions[-1]

    def bring(self, wanted: tuple[str, ...]) -> None:
        """Download and unpack what is not there yet; raises SetUpFailed with what apt says."""
        have = self.versions()
        if all(name in have for name in wanted):
            return
        if shutil.which("apt-get") is None or not _INSTALLED.exists():
            raise SetUpFailed(
                "This machine has no apt-get: the private servers come from Debian's or Ubuntu's packages. "
                "Elsewhere use Docker: add RUNTIME=docker to the command."
            )
        with step(f"unpacked {' and '.join(wanted)}") as taken:
            taken.so_far("looking which packages that takes")
            missing = tuple(package for package in self._choose(wanted) if have.get(package.name) != package.version)
            self._download(missing, taken)
            self._unpack(taken)
            have |= {package.name: package.version for package in missing}
            # a wanted package can be left out of apt's choice only when it is installed, which status_without_servers
            # rules out; so what was asked for is there now
            stamp = {"system": _system(), "packages": have}
            (self._folder / "unpacked.json").write_text(json.dumps(stamp, indent=1), encoding="utf-8")

    def _apt(self, *arguments: str, folder: Path | None = None, heard: Callable[[str], None] | None = None) -> Ended:
        ended = run(
            ["apt-get", "-c", str(self._folder / "apt.conf"), "-q", "-y", *arguments],
            environment=plain_environment(DEBIAN_FRONTEND="noninteractive"),
            folder=folder,
            heard=heard,
        )
        ended.refuse_full_disk()
        return ended

    def _choose(self, wanted: tuple[str, ...]) -> tuple[Package, ...]:
        updated = Ended(0, "") if self._lists_are_fresh() else self._update()
        simulated = self._apt("--simulate", "install", *wanted)
        if simulated.code != 0:
            trouble = updated if "Failed to fetch" in updated.output or updated.code else simulated
            (self._folder / "apt.conf").unlink(missing_ok=True)  # so that the next try fetches the lists again
            raise SetUpFailed(
                f"The packages {' and '.join(wanted)} cannot be had: is this machine connected, and are its package "
                f"sources in order (`apt-get update`)? apt says: {trouble.errors()}"
            )
        return chosen(simulated.output)

    def _lists_are_fresh(self) -> bool:
        try:
            return time.time() - (self._folder / "apt.conf").stat().st_mtime < _FRESH_SECONDS
        except FileNotFoundError:
            return False

    def _update(self) -> Ended:
        state = self._folder / "apt"
        for part in ("lists/partial", "cache/archives/partial"):
            (state / part).mkdir(parents=True, exist_ok=True)
        status = status_without_servers(_INSTALLED.read_text(encoding="utf-8", errors="replace"))
        (state / "status").write_text(status, encoding="utf-8")
        draft = self._folder / "apt.conf.draft"
        draft.write_text(_apt_settings(state), encoding="utf-8")
        draft.rename(self._folder / "apt.conf")
        return self._apt("update")

    def _download(self, missing: Iterable[Package], taken: Step) -> None:
        archives = self._folder / "archives"
        archives.mkdir(exist_ok=True)
        names = [f"{package.name}={package.version}" for package in missing]
        fetched = 0

        def heard(line: str) -> None:
            nonlocal fetched
            if line.startswith("Get:"):
                fetched += 1
                taken.so_far(f"package {fetched} of {len(names)} is being downloaded")

        downloaded = self._apt("download", *names, folder=archives, heard=heard) if names else Ended(0, "")
        if downloaded.code != 0:
            (self._folder / "apt.conf").unlink(missing_ok=True)
            raise SetUpFailed(
                f"The packages could not be downloaded: is this machine connected? apt says: {downloaded.errors()}"
            )

    def _unpack(self, taken: Step) -> None:
        self.root.mkdir(exist_ok=True)
        archives = sorted((self._folder / "archives").glob("*.deb"))

        def unpack(numbered: tuple[int, Path]) -> None:
            number, archive = numbered
            taken.so_far(f"package {number} of {len(archives)} is being unpacked")
            unpacked = run(["dpkg-deb", "--extract", str(archive), str(self.root)])
            unpacked.refuse_full_disk()
            if unpacked.code != 0:
                raise SetUpFailed(f"{archive.name} could not be unpacked, dpkg-deb says: {unpacked.errors()}")
            archive.unlink()

        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(unpack, enumerate(archives, 1)))


def _apt_settings(state: Path) -> str:
    # The sandbox user could not write to our folder; hooks of the system's apt (Docker's cleaning, desktop
    # notifications) have no business with our lists.
    return f"""\
Dir::State "{state}";
Dir::State::Lists "{state}/lists";
Dir::State::status "{state}/status";
Dir::Cache "{state}/cache";
Debug::NoLocking "1";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
"""


def _system() -> str:
    release = platform.freedesktop_os_release()
    return f"{release.get('ID')} {release.get('VERSION_ID')} {platform.machine()}"
