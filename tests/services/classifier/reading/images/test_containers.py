"""SPEC D4: what is stored of an image is the image alone; copies for those that browsers do not show."""

import io
import random
import struct
import uuid
import zlib

import pi_heif  # type: ignore[import-untyped]  # its wheels carry no types
import pytest
from PIL import Image, TiffImagePlugin

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


@pytest.mark.parametrize("media_type", PICTURES)
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


def test_D17_a_tiff_that_names_the_same_bytes_without_end_is_refused() -> None:
    entries = 2_000
    directories = b"".join(
        struct.pack("<HHHIII", 1, 0x010E, 2, 10**5, 8, 8 + 18 * (number + 1)) for number in range(entries)
    )
    with pytest.raises(NotWhole):
        alone_of(b"II*\x00" + struct.pack("<I", 8) + directories + bytes(6), "image/tiff", strip_metadata=False)


# ── what stands within a file and is not of its image ────────────────────────────────────────────────────────────────

PAYLOAD = b"PK\x03\x04 een archief <?php system($_GET[0]); ?>" * 20


def speckled(width: int, height: int) -> Image.Image:
    """Points that no compression makes much smaller, the same each time."""
    return Image.frombytes("RGB", (width, height), random.Random(11).randbytes(3 * width * height))  # noqa: S311


def scan(mode: str, compression: str | None, *, pages: int = 1, rows: int | None = None) -> bytes:
    """A TIFF of noise; `rows` in each strip."""
    noise = speckled(61, 37)
    noise.paste((9, 9, 9), (0, 0, 30, 20))
    image = noise.convert(mode)
    file = io.BytesIO()
    tags = {278: rows} if rows else {}
    more = [image.rotate(180)] * (pages - 1)
    image.save(file, "TIFF", compression=compression, tiffinfo=tags, save_all=True, append_images=more)
    return file.getvalue()


SCANS = {
    f"{mode}-{compression or 'plain'}-{pages}": scan(mode, compression, pages=pages)
    for mode, compression, pages in [
        ("RGB", None, 1), ("RGB", "tiff_lzw", 3), ("RGB", "tiff_adobe_deflate", 2), ("RGBA", "packbits", 1),
        ("RGB", "jpeg", 2), ("1", "group4", 3), ("1", "group3", 1), ("1", None, 1), ("P", None, 2),
        ("CMYK", "tiff_lzw", 1), ("L", "tiff_deflate", 1), ("LAB", None, 1), ("F", None, 1),
    ]
}  # fmt: skip


def pushed_back(tiff: bytes) -> bytes:
    """The same file of one directory with a payload behind its header, every place moved along."""
    (first,) = struct.unpack_from("<4xI", tiff)
    (count,) = struct.unpack_from("<H", tiff, first)
    moved = bytearray(tiff)
    for position in range(first + 2, first + 2 + 12 * count, 12):
        tag, kind, amount, value = struct.unpack_from("<HHII", tiff, position)
        size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}[kind] * amount
        if size > 4 or tag == 273:
            struct.pack_into("<I", moved, position + 8, value + len(PAYLOAD))
        if size > 4 and tag == 273:
            places = [place + len(PAYLOAD) for place in struct.unpack_from(f"<{amount}I", tiff, value)]
            struct.pack_into(f"<{amount}I", moved, value, *places)
    return tiff[:4] + struct.pack("<I", first + len(PAYLOAD)) + PAYLOAD + bytes(moved[8:])


@pytest.mark.parametrize("scanned", SCANS.values(), ids=SCANS)
@pytest.mark.parametrize("strip", [True, False])
def test_D4_a_scan_is_its_pixels_alone_in_every_compression(scanned: bytes, *, strip: bool) -> None:
    alone = alone_of(scanned + PAYLOAD, "image/tiff", strip_metadata=strip)
    assert alone == alone_of(scanned, "image/tiff", strip_metadata=strip)
    assert pixels(alone) == pixels(scanned)
    assert len(alone) <= len(scanned)
    assert alone_of(alone, "image/tiff", strip_metadata=strip) == alone, "nothing more to take out"


@pytest.mark.parametrize("strip", [True, False])
def test_D4_what_stands_before_a_scans_pixels_is_not_stored(*, strip: bool) -> None:
    for scanned in (scan("RGB", None), scan("RGB", None, rows=5)):
        carrier = pushed_back(scanned)
        assert pixels(carrier) == pixels(scanned)
        alone = alone_of(carrier, "image/tiff", strip_metadata=strip)
        assert b"archief" not in alone
        assert pixels(alone) == pixels(scanned)


def test_D4_what_hides_in_a_strip_that_claims_more_than_it_needs_is_not_stored() -> None:
    for compression in (None, "tiff_adobe_deflate"):
        scanned = bytearray(scan("L", compression) + PAYLOAD)
        (first,) = struct.unpack_from("<4xI", scanned)
        (count,) = struct.unpack_from("<H", scanned, first)
        entries = {
            struct.unpack_from("<H", scanned, position)[0]: position
            for position in range(first + 2, first + 2 + 12 * count, 12)
        }
        (place,) = struct.unpack_from("<I", scanned, entries[273] + 8)
        struct.pack_into("<HII", scanned, entries[279] + 2, 4, 1, len(scanned) - place)
        alone = alone_of(bytes(scanned), "image/tiff", strip_metadata=False)
        assert b"archief" not in alone
        assert pixels(alone) == pixels(bytes(scanned))


@pytest.mark.parametrize("tag", [0x010E, 0xC612, 0xFDE8], ids=["description", "maker's", "nobody's"])
def test_D4_what_a_tag_of_a_scan_carries_is_stored_only_where_it_is_known_and_harmless(tag: int) -> None:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), (1, 2, 3)).save(file, "TIFF", tiffinfo={tag: PAYLOAD.decode("latin-1")})
    assert b"archief" in file.getvalue()
    alone = alone_of(file.getvalue(), "image/tiff", strip_metadata=False)
    assert b"archief" not in alone
    assert pixels(alone) == pixels(file.getvalue())


def test_D4_the_metadata_of_a_scan_stay_as_evidence_where_a_helpdesk_wants_that() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x010F] = "Camerafabriek"
    tags[0x8825] = {1: "N", 2: (52.0, 5.0, 0.0)}
    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "TIFF", tiffinfo=tags)
    exif = exif_of(alone_of(file.getvalue(), "image/tiff", strip_metadata=False))
    assert exif[0x010F] == "Camerafabriek"
    assert exif.get_ifd(0x8825) == {1: "N", 2: (52.0, 5.0, 0.0)}
    without = alone_of(file.getvalue(), "image/tiff", strip_metadata=True)
    assert b"Camerafabriek" not in without
    assert not exif_of(without).get_ifd(0x8825)


def bitmap(mode: str, *, gap: bytes = b"", tail: bytes = b"") -> bytes:
    """A BMP with `gap` before its pixels and `tail` behind them."""
    file = io.BytesIO()
    speckled(33, 21).convert(mode).save(file, "BMP")
    content = file.getvalue()
    (begin,) = struct.unpack_from("<10xI", content)
    return content[:10] + struct.pack("<I", begin + len(gap)) + content[14:begin] + gap + content[begin:] + tail


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_D4_what_stands_before_and_behind_the_pixels_of_a_bitmap_is_not_stored(mode: str) -> None:
    carrier = bitmap(mode, gap=PAYLOAD, tail=PAYLOAD)
    alone = alone_of(carrier, "image/bmp", strip_metadata=False)
    assert alone == alone_of(bitmap(mode), "image/bmp", strip_metadata=False)
    assert pixels(alone) == pixels(carrier) == pixels(bitmap(mode))
    assert struct.unpack_from("<I", alone, 2) == (len(alone),)


def runs_of(pieces: bytes, width: int, height: int, *, bits: int = 8, begin_more: bytes = b"") -> bytes:
    """A BMP whose pixels are these runs (BI_RLE8, BI_RLE4)."""
    colours = 1 << bits
    palette = bytes(value for number in range(colours) for value in (number * 3 % 256, number, 255 - number, 0))
    begin = 54 + len(palette) + len(begin_more)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 1 if bits == 8 else 2, 0, 0, 0, 0, 0)
    return struct.pack("<2sIII", b"BM", 0, 0, begin) + header + palette + begin_more + pieces


RUNS = bytes([4, 7, 0, 0, 0, 3, 1, 2, 3, 0, 1, 9, 0, 0, 0, 2, 1, 0, 3, 5, 0, 1])


@pytest.mark.parametrize("bits", [4, 8])
def test_D4_a_bitmap_of_runs_ends_where_its_runs_do(bits: int) -> None:
    runs = RUNS if bits == 8 else bytes([4, 0x12, 0, 0, 0, 3, 0x12, 0x30, 1, 9, 0, 0, 4, 0x55, 0, 1])
    whole = runs_of(runs, 4, 3, bits=bits)
    carrier = runs_of(runs + PAYLOAD, 4, 3, bits=bits, begin_more=PAYLOAD)
    alone = alone_of(carrier, "image/bmp", strip_metadata=False)
    assert alone == alone_of(whole, "image/bmp", strip_metadata=False)
    assert pixels(alone) == pixels(whole)
    assert b"archief" not in alone


@pytest.mark.parametrize("runs", [b"\x09\x01\x09\x01", b"\x00\x02\x01"], ids=["beyond-the-line", "cut-within-a-move"])
def test_D17_runs_that_do_not_end_as_they_should_are_refused(runs: bytes) -> None:
    with pytest.raises(NotWhole):
        alone_of(runs_of(runs, 4, 3), "image/bmp", strip_metadata=False)


def test_D17_strips_that_name_one_small_stream_again_and_again_are_refused() -> None:
    """Each of them gives a thousand times its size: a megabyte of them would keep a processor busy for a minute."""
    stream = zlib.compress(bytes(40_000_000))
    count = 3_000
    begin = 8 + len(stream)
    directory = struct.pack("<H", 7) + b"".join(
        struct.pack("<HHII", tag, 4, amount, value)
        for tag, amount, value in [
            *((256, 1, 40_000), (257, 1, 3_000_000), (258, 1, 8), (259, 1, 8)),
            *((273, count, begin + 90), (278, 1, 1_000), (279, count, begin + 90 + 4 * count)),
        ]
    )
    places = struct.pack(f"<{count}I", *[8] * count) + struct.pack(f"<{count}I", *[len(stream)] * count)
    tiff = b"II*\x00" + struct.pack("<I", begin) + stream + directory + bytes(4)
    with pytest.raises(NotWhole):
        alone_of(tiff + places, "image/tiff", strip_metadata=False)


def test_D4_a_bitmap_names_no_profile_that_is_not_in_it() -> None:
    header = struct.pack("<IiiHHIIiiII", 124, 2, 1, 1, 24, 0, 8, 0, 0, 0, 0)
    header += bytes(16) + b"DEBM" + bytes(48) + struct.pack("<IIII", 4, 146, len(PAYLOAD), 0)
    carrier = struct.pack("<2sIII", b"BM", 0, 0, 138) + header + b"\x01\x02\x03\x04\x05\x06\x00\x00" + PAYLOAD
    alone = alone_of(carrier, "image/bmp", strip_metadata=False)
    assert pixels(alone) == pixels(carrier)
    assert len(alone) == 146
    assert (alone[70:74], alone[126:134]) == (b"BGRs", bytes(8))


@pytest.mark.parametrize("box", [b"free", b"skip", b"uuid"])
def test_D4_the_free_room_of_a_photograph_is_empty(box: bytes) -> None:
    carrier = HEIC + struct.pack(">I4s", 8 + len(PAYLOAD), box) + PAYLOAD
    alone = alone_of(carrier, "image/heic", strip_metadata=False)
    assert b"archief" not in alone
    assert pixels(alone) == pixels(HEIC)


def test_D4_an_extension_of_a_gif_that_nobody_knows_is_not_stored() -> None:
    gif = PICTURES["image/gif"]
    table = 3 << (gif[10] & 7) + 1 if gif[10] & 0x80 else 0
    carrier = gif[: 13 + table] + b"\x21\x99\x07archief\x00" + gif[13 + table :]
    assert alone_of(carrier, "image/gif", strip_metadata=False) == alone_of(gif, "image/gif", strip_metadata=False)


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


def test_D4_an_image_that_is_not_built_as_its_format_says_is_stored_as_a_copy_of_its_pixels() -> None:
    """A JPEG with bytes between its segments: decoders skip them, and nothing says where the image's own go on."""
    jpeg = PICTURES["image/jpeg"]
    at = jpeg.index(b"\xff\xdb")
    (image,) = images_of(jpeg[:at] + PAYLOAD + jpeg[at:], b"x")
    assert (image.name, image.width, image.height) == ("plaatje.jpg", 24, 16)
    assert b"archief" not in image.content
    scanned = scan("1", "group4")
    unsaid = scanned.replace(struct.pack("<HHI", 279, 4, 1), struct.pack("<HHI", 65_000, 4, 1))
    assert unsaid != scanned
    assert [each.media_type for each in images_of(unsaid, b"x")] == ["image/png"]


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
