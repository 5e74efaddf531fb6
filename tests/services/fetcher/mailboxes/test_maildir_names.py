"""What a Maildir's file and folder names say, and how they become keys that any database takes."""

import os
from datetime import UTC, datetime

import pytest

from services.fetcher.mailboxes.maildir.names import MaildirName, folder_directory, hint_to_path, path_to_hint
from services.fetcher.mailboxes.protocol import MailboxMissing

NOT_UTF8 = os.fsdecode(b"1700000000.M1P2.h\xffst")


@pytest.mark.parametrize(
    ("name", "key", "seen"),
    [
        pytest.param("1700000000.M1P2.mx", "1700000000.M1P2.mx", False, id="just delivered"),
        pytest.param("1700000000.M1P2.mx:2,", "1700000000.M1P2.mx", False, id="no flags"),
        pytest.param("1700000000.M1P2.mx:2,FRS", "1700000000.M1P2.mx", True, id="flags"),
        pytest.param("1700000000.M1P2.mx:2,Sab", "1700000000.M1P2.mx", True, id="Dovecot's keywords"),
        pytest.param("1700000000.M1P2.mx,S=512,W=530:2,R", "1700000000.M1P2.mx", False, id="Dovecot's sizes"),
        pytest.param("1700000000.M1P2.mx,S=512:2,S", "1700000000.M1P2.mx", True, id="Courier's size"),
        pytest.param("1700000000.M1P2.mx:1,S", "1700000000.M1P2.mx", False, id="another version of the information"),
        pytest.param("1700000000.a,b.mx:2,", "1700000000.a,b.mx", False, id="a comma of its own"),
        pytest.param("odd name%", "odd%20name%25", False, id="blank and percent sign"),
        pytest.param(NOT_UTF8, "1700000000.M1P2.h%FFst", False, id="no UTF-8"),
        pytest.param("1700000000.mx\n;DROP", "1700000000.mx%0A;DROP", False, id="control character"),
    ],
)
def test_a_key_is_the_unique_name_without_flags_and_sizes(name: str, key: str, *, seen: bool) -> None:
    parsed = MaildirName.parse(name)
    assert (parsed.key, parsed.seen) == (key, seen)
    assert parsed.key.isascii()
    assert parsed.key.isprintable()


@pytest.mark.parametrize(
    ("name", "as_read"),
    [
        pytest.param("1700000000.mx", "1700000000.mx:2,S", id="new"),
        pytest.param("1700000000.mx:2,TF", "1700000000.mx:2,FST", id="ASCII order"),
        pytest.param("1700000000.mx,S=5:2,S", "1700000000.mx,S=5:2,S", id="read already"),
    ],
)
def test_marking_read_keeps_all_else_of_the_name(name: str, as_read: str) -> None:
    assert MaildirName.parse(name).as_read == as_read


@pytest.mark.parametrize(
    ("name", "arrival"),
    [
        pytest.param("1700000000.M1P2.mx:2,", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), id="seconds"),
        pytest.param("788918400.mx", datetime(1995, 1, 1, tzinfo=UTC), id="when Maildir was made"),
        pytest.param("12.eml", None, id="numbered by hand"),
        pytest.param("999999999999.mx", None, id="after the year 9999"),
        pytest.param("msg.1700000000.mx", None, id="no seconds"),
        pytest.param("1700000000", None, id="no dot"),
        pytest.param("-5.mx", None, id="negative"),
    ],
)
def test_the_arrival_is_the_second_in_the_name(name: str, arrival: datetime | None) -> None:
    assert MaildirName.parse(name).arrival == arrival


def test_mails_of_one_second_stand_in_the_order_of_their_microseconds() -> None:
    names = ["17.M9P5Q1.mx", "17.Vfd00I1M10.mx", "17.P1.mx", "17.M100000P2.mx"]
    ordered = sorted(names, key=lambda name: MaildirName.parse(name).order)
    assert ordered == ["17.P1.mx", "17.M9P5Q1.mx", "17.Vfd00I1M10.mx", "17.M100000P2.mx"]


@pytest.mark.parametrize("path", ["new/1700000000.mx", f"cur/{NOT_UTF8}:2,", "cur/a%20b c\n"])
def test_a_hint_leads_back_to_the_very_path(path: str) -> None:
    hint = path_to_hint(path)
    assert hint.isascii()
    assert hint_to_path(hint) == path


@pytest.mark.parametrize(
    ("folder", "directory"),
    [
        pytest.param("INBOX", "", id="inbox"),
        pytest.param("inbox", "", id="in any case"),
        pytest.param("Archief", ".Archief", id="folder"),
        pytest.param("Archief/2026", ".Archief.2026", id="folder in a folder"),
        pytest.param("Archief.2026", ".Archief.2026", id="in Maildir++'s own words"),
        pytest.param("Geïmporteerd", ".Ge&AO8-mporteerd", id="modified UTF-7"),
        pytest.param("R&D", ".R&-D", id="ampersand"),
        pytest.param("日本", ".&ZeVnLA-", id="Japanese, as RFC 3501 has it"),
        pytest.param("😀", ".&2D3eAA-", id="beyond the BMP"),
    ],
)
def test_a_folder_is_a_directory_of_the_maildir(folder: str, directory: str) -> None:
    assert folder_directory(folder) == directory


@pytest.mark.parametrize("folder", ["..", ".", "a//b", "/etc", "../../etc", "a/../b", " ", "a\x00b", "a\nb", ""])
def test_a_folder_never_leads_outside_the_maildir(folder: str) -> None:
    with pytest.raises(MailboxMissing, match="kies een naam"):
        folder_directory(folder)
