"""SPEC D4: the table of formats is whole: whatever a row lacks fails here, since a good image would be lost for it."""

import io
import uuid

import pytest
from PIL import Image

from services.classifier.reading.images import storing
from services.classifier.reading.images.decoders import asked
from services.classifier.reading.images.decoding import DecodedImage, NotStored, decode_image
from services.classifier.reading.images.formats import FORMATS, ImageFormat, format_of
from services.classifier.reading.images.storing import image_alone, stored_name
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from tests.services.classifier.reading.images.pictures import PICTURES
from tests.services.classifier.wrappings import PNG, multipart

each_format = pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.media_type)
SHOWN = {row.media_type for row in FORMATS if row.is_shown_by_browsers}


def read(content: bytes) -> ReadMail:
    part = b"Content-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n\n" + content
    settings = ReadingSettings(strip_image_metadata=True, make_copies=True)
    return read_mail(multipart(part), uuid.UUID(int=5), settings)


def decoded(content: bytes) -> DecodedImage:
    image = decode_image(content, DEFAULT_LIMITS, pixels_left=DEFAULT_LIMITS.image_total_pixels)
    assert isinstance(image, DecodedImage)
    return image


def test_every_row_has_a_picture_and_every_picture_a_row() -> None:
    assert set(PICTURES) == {row.media_type for row in FORMATS}


def test_no_two_rows_claim_the_same() -> None:
    for claims in ([row.media_type for row in FORMATS], [name for row in FORMATS for name in row.extensions]):
        assert len(set(claims)) == len(claims)
    for content in PICTURES.values():
        assert len([row for row in FORMATS if row.begins.match(content)]) == 1


@each_format
def test_a_picture_of_the_format_is_known_decoded_and_put_together_again(row: ImageFormat) -> None:
    content = PICTURES[row.media_type]
    assert format_of(content) is row
    assert decoded(content).format is row
    alone = image_alone(content, row, strip_metadata=False)
    assert decoded(alone) == decoded(content)


@each_format
def test_frames_are_counted_of_every_format_that_has_them(row: ImageFormat) -> None:
    """Pillow writes several pictures into what can hold several: of these each must be bounded."""
    Image.init()
    assert row.decoder in Image.OPEN
    assert row.has_frames is (row.decoder in Image.SAVE_ALL)
    if row.has_frames:
        file = io.BytesIO()
        pictures = [Image.new("RGB", (8, 8), (90 * number, 9, 9)) for number in range(3)]
        pictures[0].save(file, row.decoder, save_all=True, append_images=pictures[1:])
        assert decoded(file.getvalue()).frames == 3


@each_format
def test_D4_an_image_of_the_format_is_stored_with_all_that_belongs_to_it(row: ImageFormat) -> None:
    mail = read(PICTURES[row.media_type])
    (image,) = mail.images
    assert (image.media_type, mail.left_out, mail.our_errors) == (row.media_type, (), ())
    assert image.name == f"afbeelding-1{row.extensions[0]}"
    assert b"Camerafabriek" not in image.content
    assert (image.copies is None) is row.is_shown_by_browsers
    if image.copies is not None:
        assert {image.copies.rendition.media_type, image.copies.thumbnail.media_type} <= SHOWN


@each_format
def test_D4_a_name_may_end_as_the_format_does(row: ImageFormat) -> None:
    for extension in row.extensions:
        assert extension == extension.lower()
        assert extension.startswith(".")
        assert stored_name(f"foto{extension}", row, 1) == f"foto{extension}"


@pytest.mark.parametrize("step", ["decode_image", "image_alone"])
def test_D17_an_error_of_ours_costs_one_image_and_is_told(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("image/nieuw")

    monkeypatch.setattr(storing, step, broken)
    mail = read(PNG)
    assert mail.images == ()
    assert [part.reason for part in mail.left_out] == [NotStored.OUR_ERROR]
    (error,) = mail.our_errors
    assert error.name == "KeyError"
    assert "image/nieuw" in error.traceback


def test_memory_that_runs_out_in_a_decoder_is_not_called_damage() -> None:
    def endless() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        asked(endless)
