"""SPEC D4: the virus scanner is asked in its own protocol, and nothing that it did not pass is stored."""

import uuid
from pathlib import Path

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from services.classifier.rules.withheld import without_images
from services.classifier.scanner import Finding, Scanner, ScannerAway, ScannerFailed
from tests.servers.clamd import clamd

MAILS = Path(__file__).parents[2] / "mails"


@pytest.mark.parametrize("over", ["tcp", "unix"])
async def test_clean_and_infected(over: str, tmp_path: Path) -> None:
    async with clamd(str(tmp_path / "clamd.ctl") if over == "unix" else None) as server:
        server.signatures[b"slecht"] = "Test.Proef-1"
        scanner = Scanner(server.url)
        await scanner.check()
        assert await scanner.scan(b"goed" * 100_000) is None
        assert await scanner.scan(b"iets slechts") == Finding("de virusscanner vond «Test.Proef-1»")
        assert [len(content) for content in server.scanned] == [400_000, 12]


async def test_an_image_that_the_scanner_does_not_take_counts_as_found() -> None:
    async with clamd() as server:
        server.longest = 1000
        finding = await Scanner(server.url).scan(bytes(5_000_000))
    assert finding == Finding("de virusscanner neemt een bestand van deze grootte niet aan")


async def test_an_error_of_the_scanner_is_tried_again() -> None:
    async with clamd() as server:
        server.broken = True
        with pytest.raises(ScannerFailed):
            await Scanner(server.url).scan(b"x")


async def test_a_scanner_that_is_away_or_silent_is_an_outage() -> None:
    async with clamd() as server:
        scanner = Scanner(server.url, seconds=0.1)
        server.silent = True
        with pytest.raises(ScannerAway):
            await scanner.check()
        with pytest.raises(ScannerFailed):
            await scanner.scan(b"x")
    with pytest.raises(ScannerAway):
        await scanner.scan(b"x")
    with pytest.raises(ScannerAway):
        await Scanner("unix:///nergens/clamd.ctl").check()


def test_D4_a_withheld_image_is_in_no_body_and_is_named() -> None:
    raw = (MAILS / "images" / "inline-and-attached.eml").read_bytes()
    read = read_mail(raw, uuid.UUID(int=7), ReadingSettings())
    inline, attached = read.images
    cleaned = without_images(read, {inline.id: "de virusscanner vond «X»"})
    assert cleaned.images == (attached,)
    assert str(inline.id) in read.whole.html
    assert str(inline.id) not in cleaned.whole.html
    assert cleaned.whole.attachment_ids == (attached.id,)
    first = cleaned.left_out[0]
    assert (first.id, first.name, first.size) == (inline.id, inline.name, len(inline.content))
    assert cleaned.left_out[1:] == read.left_out
    assert without_images(read, {}) is read
