"""What apt is told, and what is made of its answer."""

import subprocess
from pathlib import Path

import pytest

from deploy.local.failure import SetUpFailed
from deploy.local.packages import Package, Packages, chosen, status_without_servers

STATUS = """\
Package: libc6
Status: install ok installed
Version: 2.36

Package: postgresql-15
Status: install ok installed
Depends: libc6 (>= 2.36), libpq5
Version: 15.1

Package: postgresql-15-postgis
Status: install ok installed
Depends: libc6, postgresql-15 (>= 15)
Version: 3.3

Package: erlang-base
Status: install ok installed
Version: 1:25

Package: ejabberd
Status: install ok installed
Pre-Depends: adduser
Depends: erlang-base | erlang-base-hipe
Version: 23

Package: adduser
Status: install ok installed
Version: 3.1

Package: backup
Status: install ok installed
Depends: postgresql-15 | sqlite3
Version: 1

Package: sqlite3
Status: install ok installed
Version: 3
"""


def names(status: str) -> list[str]:
    return [line.removeprefix("Package: ") for line in status.splitlines() if line.startswith("Package: ")]


def test_installed_servers_and_what_depends_on_them_count_as_missing() -> None:
    assert names(status_without_servers(STATUS)) == ["libc6", "adduser", "backup", "sqlite3"]


def test_a_system_without_servers_is_left_as_it_is() -> None:
    libc = STATUS.partition("\n\n")[0] + "\n"
    assert status_without_servers(libc) == libc


def test_the_real_status_stays_readable_for_dpkg(tmp_path: Path) -> None:
    status = Path("/var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    (tmp_path / "status").write_text(status_without_servers(status), encoding="utf-8")
    listed = subprocess.run(
        ["/usr/bin/dpkg-query", f"--admindir={tmp_path}", "--show", "--showformat=${Package}\n"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "dpkg" in listed.stdout.split()


def test_new_and_upgraded_packages_are_chosen_and_dispensable_ones_left_out() -> None:
    simulation = """\
Reading package lists...
Inst libpq5 [15.18-0+deb12u1] (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64])
Inst erlang-base (1:25.2.3+dfsg-1+deb12u4 Debian:12.15/oldstable [amd64]) []
Inst libllvm14 (1:14.0.6-12 Debian:12.15/oldstable [amd64])
Inst perl-modules-5.36 (5.36.0-7 Debian:12.15/oldstable [all])
Conf libpq5 (15.20-0+deb12u1 Debian-Security:12/oldstable-security [amd64])
"""
    assert chosen(simulation) == (
        Package("libpq5", "15.20-0+deb12u1"),
        Package("erlang-base", "1:25.2.3+dfsg-1+deb12u4"),
    )


def test_what_is_unpacked_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    packages = Packages(tmp_path)
    with pytest.raises(SetUpFailed, match=r"no apt-get.*RUNTIME=docker"):
        packages.bring(("postgresql",))


def test_of_several_versions_the_highest_is_used(tmp_path: Path) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / "root/usr/lib/postgresql" / version / "bin").mkdir(parents=True)
    assert Packages(tmp_path).one("usr/lib/postgresql/*/bin").parent.name == "17"


def test_packages_of_another_system_are_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "unpacked.json").write_text('{"system": "debian 11 x86_64", "packages": {"postgresql": "13"}}')
    assert Packages(tmp_path).versions() == {}


def test_a_stamp_that_was_cut_short_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "unpacked.json").write_text('{"system": "deb')
    assert Packages(tmp_path).versions() == {}
