"""SPEC D4: what is stored of an image is the image alone; copies for those that browsers do not show."""

import io
import struct
import uuid

import pi_heif  # type: ignore[import-untyped]  # its wheels carry no types
import pytest
from PIL import Image

from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.decoding import NotStored, decode_image
from services.classifier.reading.images.formats import FORMATS
from services.classifier.reading.images.renditions import copies_of
from services.classifier.reading.images.storing import image_alone
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadImage, ReadingSettings
from tests.services.classifier.reading.images.pictures import HEIC, PICTURES, animated, picture
from tests.services.classifier.wrappings import PNG, multipart

BY_MEDIA_TYPE = {row.media_type: row for row in FORMATS}
TAILS = [b"PK\x03\x04 een archief", b"<?php system($_GET[0]); ?>", b"%PDF-1.7", b"\x00" * 64]


def alone_of(content: bytes, media_type: str, *, strip_metadata: bool) -> bytes:
    return image_alone(content, BY_MEDIA_TYPE[media_type], strip_metadata=strip_metadata)


def pixels(content: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(content)) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(image.convert("RGB").tobytes())
        return frames


def exif_of(content: bytes) -> Image.Exif:
    with Image.open(io.BytesIO(content)) as image:
        return image.getexif()


@pytest.mark.parametrize("media_type", PICTURES)
@pytest.mark.parametrize("strip", [True, False])
def test_D4_the_pixels_stay_as_they_were(media_type: str, *, strip: bool) -> None:
    content = PICTURES[media_type]
    assert pixels(alone_of(content, media_type, strip_metadata=strip)) == pixels(content)


@pytest.mark.parametrize(
    "media_type", ["image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/heic"]
)
@pytest.mark.parametrize("tail", TAILS, ids=["archive", "script", "document", "zeros"])
@pytest.mark.parametrize("strip", [True, False])
def test_D4_what_hangs_behind_an_image_is_not_stored(media_type: str, tail: bytes, *, strip: bool) -> None:
    alone = alone_of(PICTURES[media_type] + tail, media_type, strip_metadata=strip)
    assert alone == alone_of(PICTURES[media_type], media_type, strip_metadata=strip)
    assert not alone.endswith(tail)


@pytest.mark.parametrize("media_type", PICTURES)
def test_D4_metadata_go_where_a_helpdesk_wants_that(media_type: str) -> None:
    alone = alone_of(PICTURES[media_type], media_type, strip_metadata=True)
    assert b"Camerafabriek" not in alone
    assert b"Jan Jansen" not in alone
    exif = exif_of(alone)
    assert exif.get(0x010F) in {None, b"\x00"}, "blank where it cannot be taken out"
    assert not dict(exif.get_ifd(0x8825))
    assert struct.pack("<II", 52, 1) not in alone
    assert struct.pack(">II", 52, 1) not in alone


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
def test_D4_metadata_stay_as_evidence_where_a_helpdesk_wants_that(media_type: str) -> None:
    exif = exif_of(alone_of(PICTURES[media_type], media_type, strip_metadata=False))
    assert exif[0x010F] == "Camerafabriek"
    assert exif.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("strip", [True, False])
def test_D4_a_script_in_a_comment_is_never_stored(*, strip: bool) -> None:
    for media_type, content in {
        "image/jpeg": picture("JPEG", comment=b"<?PHP system(1); ?>"),
        "image/gif": animated().replace(b"Camerafabriek", b"<script>x(1)<"),
    }.items():
        alone = alone_of(content, media_type, strip_metadata=strip).lower()
        assert b"<?php" not in alone
        assert b"<script" not in alone


@pytest.mark.parametrize(("picture_format", "media_type"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_D4_an_image_stays_upright(picture_format: str, media_type: str) -> None:
    alone = alone_of(picture(picture_format, orientation=6), media_type, strip_metadata=True)
    assert dict(exif_of(alone)) == {0x0112: 6}


def test_D4_colours_stay() -> None:
    with Image.open(io.BytesIO(alone_of(PICTURES["image/jpeg"], "image/jpeg", strip_metadata=True))) as image:
        assert image.info["icc_profile"] == b"kleuren" * 20


def test_D4_a_photograph_with_more_pictures_in_its_tail_is_the_first_of_them() -> None:
    """As phones write depth maps and motion photos: a directory (MPF), then other files behind the end."""
    file = io.BytesIO()
    first, second = Image.new("RGB", (16, 8), (1, 2, 3)), Image.new("RGB", (8, 4), (9, 9, 9))
    first.save(file, "MPO", save_all=True, append_images=[second])
    found = decode_image(file.getvalue(), DEFAULT_LIMITS, pixels_left=10**6)
    assert not isinstance(found, NotStored)
    alone = alone_of(file.getvalue(), found.format.media_type, strip_metadata=False)
    with Image.open(io.BytesIO(alone)) as image:
        assert (image.format, image.size) == ("JPEG", (16, 8))
    assert alone.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("media_type", PICTURES)
@pytest.mark.parametrize("strip", [True, False])
def test_D17_bytes_that_are_cut_or_changed_give_an_image_or_a_verdict(media_type: str, *, strip: bool) -> None:
    content = PICTURES[media_type]
    for position in range(12, len(content), max(1, len(content) // 150)):
        changed = content[:position] + bytes((content[position] ^ 0xFF,)) + content[position + 1 :]
        for damaged in (content[:position], changed):
            try:
                alone_of(damaged, media_type, strip_metadata=strip)
            except NotWhole:
                continue


def test_D17_a_tiff_that_asks_for_endless_blanking_is_refused() -> None:
    entries = 2_000
    directory = struct.pack("<H", entries) + struct.pack("<HHII", 0x010E, 2, 10**6, 8) * entries + bytes(4)
    with pytest.raises(NotWhole):
        alone_of(b"II*\x00" + struct.pack("<I", 8) + directory, "image/tiff", strip_metadata=True)


# ── copies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_D4_a_heic_gets_a_jpeg_and_a_thumbnail() -> None:
    copies = copies_of(HEIC, BY_MEDIA_TYPE["image/heic"])
    assert (copies.rendition.media_type, copies.rendition.width, copies.rendition.height) == ("image/jpeg", 64, 64)
    assert copies.thumbnail.width <= 320
    with Image.open(io.BytesIO(copies.rendition.content)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("JPEG", (64, 64), {})


@pytest.mark.parametrize(
    ("mode", "media_type"),
    [("1", "image/png"), ("L", "image/png"), ("RGBA", "image/png"), ("RGB", "image/jpeg"), ("CMYK", "image/jpeg"),
     ("I;16", "image/png"), ("P", "image/jpeg")],
)  # fmt: skip
def test_D4_a_scan_gets_a_copy_that_browsers_show(mode: str, media_type: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (700, 500)).save(file, "TIFF")
    copies = copies_of(alone_of(file.getvalue(), "image/tiff", strip_metadata=True), BY_MEDIA_TYPE["image/tiff"])
    assert (copies.rendition.media_type, copies.rendition.width) == (media_type, 700)
    assert (copies.thumbnail.width, copies.thumbnail.height) == (320, 229)
    with Image.open(io.BytesIO(copies.thumbnail.content)) as image:
        assert image.size == (320, 229)


def test_D4_a_copy_is_upright() -> None:
    copies = copies_of(
        alone_of(picture("TIFF", orientation=6), "image/tiff", strip_metadata=True), BY_MEDIA_TYPE["image/tiff"]
    )
    assert (copies.rendition.width, copies.rendition.height) == (16, 24)


# ── in a mail ────────────────────────────────────────────────────────────────────────────────────────────────────────


def images_of(content: bytes, html: bytes, settings: ReadingSettings | None = None) -> tuple[ReadImage, ...]:
    part = b"Content-Type: image/x; name=plaatje\nContent-Id: <a@b>\nContent-Transfer-Encoding: binary\n\n" + content
    raw = multipart(b"Content-Type: text/html\n\n" + html, part, kind="related")
    return read_mail(raw, uuid.UUID(int=5), settings or ReadingSettings()).images


def saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "tracking"),
    [
        (saved(Image.new("RGB", (1, 1))), True),
        (saved(Image.new("RGB", (2, 2))), True),
        (saved(Image.new("RGB", (300, 1))), True),
        (saved(Image.new("RGBA", (60, 60), (255, 255, 255, 0))), True),
        (saved(Image.new("RGBA", (60, 60), (255, 255, 255, 1))), False),
        (saved(Image.new("RGB", (3, 3))), False),
    ],
    ids=["point", "four", "line", "transparent", "visible", "small"],
)
def test_D4_what_nobody_sees_is_told(content: bytes, *, tracking: bool) -> None:
    assert [image.is_tracking for image in images_of(content, b'<img src="cid:a@b">x')] == [tracking]
    assert [image.is_tracking for image in images_of(content, b"x")] == [False], "attached on purpose"


@pytest.mark.parametrize(
    "source",
    [
        "cid:a@b",
        "CID:A@B",
        "cid:<a@b>",
        "cid:a%40b",
        "cid:a",
        "a@b",
        "plaatje",
        "file:///C:/Temp/plaatje",
        "cid:plaatje",
    ],
)
def test_D5_an_image_is_found_by_every_spelling(source: str) -> None:
    (image,) = images_of(PNG, f'<img src="{source}">'.encode())
    assert image.inline


def test_D5_an_image_elsewhere_is_none_of_the_mail() -> None:
    (image,) = images_of(PNG, b'<img src="https://kwaad.example/plaatje">')
    assert not image.inline


def test_D4_copies_and_metadata_follow_the_settings() -> None:
    jpeg, heic = PICTURES["image/jpeg"], HEIC
    assert images_of(jpeg, b"x")[0].content == jpeg
    stripped = images_of(jpeg, b"x", ReadingSettings(strip_image_metadata=True, make_copies=True))[0]
    assert b"Camerafabriek" not in stripped.content
    assert stripped.copies is None
    assert images_of(heic, b"x")[0].copies is None
    assert images_of(heic, b"x", ReadingSettings(make_copies=True))[0].copies is not None


def test_D4_the_positions_of_a_phone_leave_its_photograph() -> None:
    """A HEIC with an Exif item, made of ours: the item's place is found by the boxes and overwritten there."""
    exif = b"Exif\x00\x00MM\x00*" + b"GPS-positie" * 3
    content = with_exif_item(HEIC, exif)
    alone = alone_of(content, "image/heic", strip_metadata=True)
    assert b"GPS-positie" in content
    assert b"GPS-positie" not in alone
    assert len(alone) == len(content)
    assert pixels(alone) == pixels(HEIC)
    assert pi_heif.is_supported(alone)


def with_exif_item(content: bytes, exif: bytes) -> bytes:
    """Adds an item to a HEIC: entries in iinf and iloc, data in a box behind the rest, every place moved along."""
    size, _ = struct.unpack_from(">I4s", content)
    meta_size = struct.unpack_from(">I", content, size)[0]
    meta = content[size : size + meta_size]
    rest = content[size + meta_size :]
    at = meta.index(b"iinf") - 4
    old_size = struct.unpack_from(">I", meta, at)[0]
    wide = meta[at + 8] != 0
    count_at = at + 12
    count = struct.unpack_from(">I" if wide else ">H", meta, count_at)[0]
    entry = struct.pack(">I4sIHH4sx", 21, b"infe", 0x02000000, 999, 0, b"Exif")
    iinf = bytearray(meta[at : at + old_size] + entry)
    struct.pack_into(">I", iinf, 0, len(iinf))
    struct.pack_into(">I" if wide else ">H", iinf, 12, count + 1)
    meta = meta[:at] + bytes(iinf) + meta[at + old_size :]
    at = meta.index(b"iloc") - 4
    old_size = struct.unpack_from(">I", meta, at)[0]
    grown = len(entry) + moved_by(meta[at : at + old_size])
    iloc = moved(meta[at : at + old_size], grown, size + meta_size + grown + len(rest) + 8, len(exif))
    meta = meta[:at] + iloc + meta[at + old_size :]
    meta = struct.pack(">I", len(meta)) + meta[4:]
    return content[:size] + meta + rest + struct.pack(">I4s", 8 + len(exif), b"mdat") + exif


def moved_by(iloc: bytes) -> int:
    """Bytes that one more item takes."""
    sizes = int.from_bytes(iloc[12:14], "big")
    of_version = 2 + (sizes & 15) if iloc[8] else 0
    return 6 + of_version + (sizes >> 4 & 15) + (sizes >> 12) + (sizes >> 8 & 15)


def moved(iloc: bytes, grown: int, place: int, length: int) -> bytes:
    version, sizes = iloc[8], struct.unpack_from(">H", iloc, 12)[0]
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    count = struct.unpack_from(">H", iloc, 14)[0]
    cursor, made = 16, b""
    for _ in range(count):
        head = 4 + (2 if version else 0)
        method = struct.unpack_from(">H", iloc, cursor + 2)[0] & 15 if version else 0
        made += iloc[cursor : cursor + head]
        cursor += head
        base = int.from_bytes(iloc[cursor : cursor + base_size], "big")
        cursor += base_size
        shift = grown if method == 0 else 0
        made += (base + shift if base_size else 0).to_bytes(base_size, "big") + iloc[cursor : cursor + 2]
        extents = struct.unpack_from(">H", iloc, cursor)[0]
        cursor += 2
        for _ in range(extents):
            made += iloc[cursor : cursor + (index_size if version else 0)]
            cursor += index_size if version else 0
            offset = int.from_bytes(iloc[cursor : cursor + offset_size], "big")
            made += (offset + (0 if base_size else shift)).to_bytes(offset_size, "big")
            cursor += offset_size
            made += iloc[cursor : cursor + length_size]
            cursor += length_size
    made += struct.pack(">H", 999) + (b"\x00\x00" if version else b"") + b"\x00\x00" + bytes(base_size)
    made += struct.pack(">H", 1) + bytes(index_size if version else 0)
    made += place.to_bytes(offset_size, "big") + length.to_bytes(length_size, "big")
    whole = iloc[:14] + struct.pack(">H", count + 1) + made
    return struct.pack(">I", len(whole)) + whole[4:]
