"""Delivery into a Maildir, as a mail server does it."""

import re
from pathlib import Path

from deploy.demo.maildir import Maildir


def test_a_mail_arrives_whole_in_new_under_a_unique_name(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path / "box")
    first, second = maildir.deliver(b"one"), maildir.deliver(b"two")
    assert first.unique_name != second.unique_name
    assert (tmp_path / "box/new" / first.unique_name).read_bytes() == b"one"
    assert list((tmp_path / "box/tmp").iterdir()) == []


def test_the_name_starts_with_the_arrival(tmp_path: Path) -> None:
    delivered = Maildir(tmp_path).deliver(b"old", arrived=1_700_000_000.25)
    assert re.fullmatch(r"1700000000\.M250000P\d+Q\d+\.localhost", delivered.unique_name)


def test_only_what_nobody_has_seen_is_unread(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path)
    new, seen, flagged = (maildir.deliver(b"mail").unique_name for _ in range(3))
    (tmp_path / "new" / seen).rename(tmp_path / "cur" / f"{seen}:2,S")
    (tmp_path / "new" / flagged).rename(tmp_path / "cur" / f"{flagged}:2,F")
    assert sorted(path.name for path in maildir.unread()) == sorted([new, f"{flagged}:2,F"])
