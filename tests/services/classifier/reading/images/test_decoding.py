"""SPEC W4, D4: images are told by decoding them, whatever the mail says."""

import io
import random
import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pi_heif  # type: ignore[import-untyped]  # its wheels carry no types
import pytest
from PIL import Image

from services.classifier.reading.images import decoding
from services.classifier.reading.images.decoding import DecodedImage, NotStored, decode_image
from services.classifier.reading.images.formats import FORMATS, ImageFormat, format_of
from services.classifier.reading.images.storing import stored_name
from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail

IMAGES = Path(__file__).parents[4] / "mails" / "images"
BY_MEDIA_TYPE = {row.media_type: row for row in FORMATS}
HEIC = Path(__file__).parents[4] / "mails" / "images" / "klein.heic"


def read(name: str) -> ReadMail:
    return read_mail((IMAGES / f"{name}.eml").read_bytes(), uuid.UUID(int=7), ReadingSettings())


def picture(picture_format: str, size: tuple[int, int] = (8, 4), frames: int = 1) -> bytes:
    file = io.BytesIO()
    pictures = [Image.new("RGB", size, (40 * number % 256, 9, 9)) for number in range(frames)]
    if frames > 1:
        pictures[0].save(file, picture_format, save_all=True, append_images=pictures[1:])
    else:
        pictures[0].save(file, picture_format)
    return file.getvalue()


def decoded(content: bytes, limits: Limits = DEFAULT_LIMITS) -> DecodedImage | NotStored:
    return decode_image(content, limits, pixels_left=limits.image_total_pixels)


@pytest.mark.parametrize(
    ("picture_format", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_D4_formats(picture_format: str, media_type: str) -> None:
    assert decoded(picture(picture_format)) == DecodedImage(BY_MEDIA_TYPE[media_type], 8, 4)


def test_D4_heic() -> None:
    assert pi_heif.is_supported(HEIC.read_bytes())
    assert decoded(HEIC.read_bytes()) == DecodedImage(BY_MEDIA_TYPE["image/heic"], 64, 64)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", NotStored.EMPTY, id="empty"),
        pytest.param(b"%PDF-1.4", NotStored.NO_IMAGE, id="pdf"),
        pytest.param(b"MZ\x90\x00", NotStored.NO_IMAGE, id="program"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotStored.SVG, id="svg"),
        pytest.param(b"<?xml version='1.0'?><!-- x --><svg:svg/>", NotStored.SVG, id="svg-with-prefix"),
        pytest.param(picture("PNG")[:40], NotStored.DAMAGED, id="png-cut-off"),
        pytest.param(picture("JPEG", (600, 600))[:-400], NotStored.DAMAGED, id="jpeg-cut-off"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\x00" * 99, NotStored.DAMAGED, id="png-in-name-only"),
        pytest.param(b"GIF89a<script>alert(1)</script>", NotStored.DAMAGED, id="script-behind-a-gif-header"),
        pytest.param(b"BM" + b"\x00" * 60, NotStored.DAMAGED, id="bmp-of-nothing"),
        pytest.param(b"RIFF\x00\x00\x00\x00WAVEfmt ", NotStored.NO_IMAGE, id="riff-but-sound"),
        pytest.param(b"\x00\x00\x00\x18ftypavif" + b"\x00" * 20, NotStored.NO_IMAGE, id="avif-is-not-on-the-list"),
        pytest.param(b"\x00\x00\x01\x00\x01\x00", NotStored.NO_IMAGE, id="ico-is-not-on-the-list"),
    ],
)
def test_D4_what_is_no_image(content: bytes, reason: NotStored) -> None:
    assert decoded(content) is reason


def test_pixels_frames_and_bytes_are_bounded() -> None:
    assert decoded(picture("PNG"), Limits(image_pixels=31)) is NotStored.TOO_MANY_PIXELS
    assert decoded(picture("PNG"), Limits(image_pixels=32)) == DecodedImage(BY_MEDIA_TYPE["image/png"], 8, 4)
    assert decoded(picture("GIF", frames=5), Limits(image_frames=4)) is NotStored.TOO_MANY_FRAMES
    assert decoded(picture("GIF", frames=5), Limits(image_frames=5)) == DecodedImage(
        BY_MEDIA_TYPE["image/gif"], 8, 4, 5
    )
    assert decoded(picture("GIF", frames=5), Limits(image_total_pixels=159)) is NotStored.TOO_MANY_FRAMES
    assert decoded(picture("PNG"), Limits(image_bytes=20)) is NotStored.TOO_MANY_BYTES
    assert decode_image(picture("PNG"), DEFAULT_LIMITS, pixels_left=31) is NotStored.TOO_MANY_PIXELS


def with_larger_frame(width: int, height: int) -> bytes:
    """A GIF of 8 by 4 whose second frame is of 80 by 40, and says that it is as large as this."""
    out = io.BytesIO()
    Image.new("P", (80, 40)).save(out, "GIF")
    other = out.getvalue()
    frame = other[other.index(b",\0\0\0\0" + struct.pack("<HH", 80, 40)) :]
    return picture("GIF")[:-1] + frame[:5] + struct.pack("<HH", width, height) + frame[9:]


def test_a_frame_that_is_larger_than_the_image_costs_its_own_pixels() -> None:
    """264 bytes took six seconds and two gigabytes."""
    assert decoded(with_larger_frame(20_552, 20_568)) is NotStored.TOO_MANY_PIXELS
    whole = decode_image(with_larger_frame(80, 40), DEFAULT_LIMITS, pixels_left=3_232)
    assert isinstance(whole, DecodedImage)
    assert whole.pixels == 8 * 4 + 80 * 40
    assert decode_image(with_larger_frame(80, 40), DEFAULT_LIMITS, pixels_left=3_231) is NotStored.TOO_MANY_FRAMES


@pytest.mark.parametrize(
    ("name", "media_type", "stored"),
    [
        pytest.param("foto.JPG", "image/jpeg", "foto.JPG", id="right"),
        pytest.param("foto.jpg", "image/png", "foto.jpg", id="another-image's"),
        pytest.param("factuur.exe", "image/png", "factuur.exe.png", id="program"),
        pytest.param("foto", "image/webp", "foto.webp", id="none"),
        pytest.param("", "image/gif", "afbeelding-3.gif", id="no-name"),
        pytest.param("CON.png", "image/png", "_CON.png", id="windows-device"),
        pytest.param("lpt1", "image/png", "_lpt1.png", id="windows-port"),
        pytest.param('wat? "dit": <x>|*.png', "image/png", "wat_ _dit__ _x___.png", id="windows-characters"),
        pytest.param(" .. ", "image/png", "afbeelding-3.png", id="dots"),
        pytest.param("foto.png.", "image/png", "foto.png", id="dot-behind"),
    ],
)
def test_D4_names_end_as_an_image(name: str, media_type: str, stored: str) -> None:
    assert stored_name(name, BY_MEDIA_TYPE[media_type], 3) == stored


def test_W4_every_format_in_one_mail() -> None:
    mail = read("every-format")
    assert [image.media_type.removeprefix("image/") for image in mail.images] == [
        "png",
        "jpeg",
        "gif",
        "webp",
        "bmp",
        "tiff",
    ]
    assert mail.left_out == ()


def test_W4_what_is_left_out_is_named_with_its_reason() -> None:
    mail = read("not-what-they-say")
    assert [(image.name, image.media_type) for image in mail.images] == [("factuur.exe.png", "image/png")]
    assert [(part.name, part.reason) for part in mail.left_out] == [
        ("plaatje.png", NotStored.NO_IMAGE),
        ("logo.svg", NotStored.SVG),
        ("kapot.jpg", NotStored.DAMAGED),
        ("leeg.gif", NotStored.EMPTY),
        ("winmail.dat", NotStored.WINMAIL),
    ]
    assert all(part.size >= 0 and part.media_type for part in mail.left_out)


def test_D5_inline_images_are_shown_from_the_attachments_and_remote_ones_go() -> None:
    mail = read("inline-and-attached")
    inline, attached = mail.images
    assert (inline.name, inline.inline, inline.content_id) == ("image001.png", True, "scherm@bakkerij")
    assert (attached.name, attached.inline) == ("foto.jpg", False)
    assert f'src="attachment:{inline.id}"' in mail.whole.html
    assert mail.whole.attachment_ids == (inline.id, attached.id)
    assert "elders.example" not in mail.whole.html


def test_D5_images_within_the_html_become_attachments() -> None:
    mail = read("data-url")
    (image,) = mail.images
    assert image.inline
    assert f'src="attachment:{image.id}"' in mail.whole.html
    assert "data:" not in mail.whole.html
    assert "tekening" in mail.whole.html
    assert [part.reason for part in mail.left_out] == [NotStored.SVG]


def test_an_image_between_two_texts_keeps_its_place() -> None:
    mail = read("apple-between-texts")
    (image,) = mail.images
    html = mail.whole.html
    assert html.index("Voor de foto") < html.index(str(image.id)) < html.index("Na de foto")
    assert mail.whole.text == "Voor de foto.\nNa de foto."


def test_ids_come_from_the_mail_and_the_place_in_it() -> None:
    raw = (IMAGES / "every-format.eml").read_bytes()
    first, again, other = (read_mail(raw, uuid.UUID(int=number), ReadingSettings()) for number in (1, 1, 2))
    assert first == again
    ids = [image.id for image in first.images]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {image.id for image in other.images}
    assert ids[0] == uuid.uuid5(uuid.UUID(int=1), "2")


def noise(picture_format: str, mode: str, size: tuple[int, int], **options: object) -> bytes:
    points = Image.effect_noise(size, 90).convert("RGB")
    file = io.BytesIO()
    points.convert(mode).save(file, picture_format, **options)
    return file.getvalue()


SOUND = {
    "png-1": noise("PNG", "1", (13, 7)),
    "png-P": noise("PNG", "P", (40, 33)),
    "png-RGB": noise("PNG", "RGB", (40, 33)),
    "png-RGBA": noise("PNG", "RGBA", (30, 9)),
    "png-LA": noise("PNG", "LA", (5, 5)),
    "jpeg-L": noise("JPEG", "L", (60, 41)),
    "jpeg-RGB": noise("JPEG", "RGB", (60, 41)),
    "jpeg-CMYK": noise("JPEG", "CMYK", (20, 20)),
    "jpeg-progressive": noise("JPEG", "RGB", (60, 41), progressive=True),
    "jpeg-restarts": noise("JPEG", "RGB", (60, 41), restart_marker_blocks=2),
}


def faulty(content: bytes, chance: random.Random) -> Iterator[bytes]:
    """The file with a byte changed, gone or too many, or without its end; a PNG with checksums that fit as well."""
    for _ in range(60):
        place = chance.randrange(len(content))
        behind = content[place:]
        stray = chance.choice((b"", b"\xff\xd9", b"\xff\xda", b"\xff\xd0", b"\xff\xff", chance.randbytes(3)))
        changed = content[:place] + chance.choice((chance.randbytes(1) + behind[1:], behind[1:], stray + behind, stray))
        yield changed
        yield _with_checksums(changed)


def _with_checksums(content: bytes) -> bytes:
    if not content.startswith(b"\x89PNG"):
        return content
    mended = bytearray(content)
    place = 8
    while place + 12 <= len(mended):
        (length,) = struct.unpack_from(">I", mended, place)
        end = place + 8 + length
        if end + 4 > len(mended):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(mended[place + 4 : end]))
        place = end + 4
    return bytes(mended)


@pytest.mark.parametrize("name", SOUND)
def test_D4_verdict_on_what_is_not_drawn_is_that_of_drawing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [SOUND[name], *faulty(SOUND[name], random.Random(name))]  # noqa: S311 - faults, the same each time
    told = [decoded(content) for content in files]
    drawn_whole = {row.begins: replace(row, to_draw=lambda content: content) for row in FORMATS}

    def format_drawn_whole(content: bytes) -> ImageFormat | None:
        known = format_of(content)
        return None if known is None else drawn_whole[known.begins]

    monkeypatch.setattr(decoding, "format_of", format_drawn_whole)
    assert [verdict(each) for each in told] == [verdict(decoded(content)) for content in files]
    assert isinstance(told[0], DecodedImage)
    assert not all(isinstance(each, DecodedImage) for each in told)


def verdict(told: DecodedImage | NotStored) -> object:
    return told if isinstance(told, NotStored) else (told.width, told.height, told.frames, told.is_unseen)


@pytest.mark.parametrize("name", [name for name in SOUND if name != "jpeg-progressive"])
def test_sound_pictures_are_not_drawn_whole(name: str) -> None:
    image_format = format_of(SOUND[name])
    assert image_format is not None
    assert image_format.to_draw(SOUND[name]) != SOUND[name]
