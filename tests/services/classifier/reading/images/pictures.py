"""A picture of each format, with everything that a camera or a program writes beside it."""

import io
from pathlib import Path

from PIL import Image, PngImagePlugin

HEIC = (Path(__file__).parents[4] / "mails" / "images" / "klein.heic").read_bytes()
GPS = {1: "N", 2: (52.0, 5.0, 0.0), 3: "E", 4: (4.0, 54.0, 0.0)}


def picture(picture_format: str, *, orientation: int = 1, **options: object) -> bytes:
    """A photograph of two colours with everything that a camera writes beside it."""
    image = Image.new("RGB", (24, 16), (200, 30, 30))
    image.paste((20, 20, 200), (0, 0, 12, 16))
    exif = Image.Exif()
    exif[0x010F] = "Camerafabriek"
    exif[0x0112] = orientation
    exif.get_ifd(0x8825).update(GPS)
    file = io.BytesIO()
    image.save(file, picture_format, exif=exif, **options)
    return file.getvalue()


def with_text() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Jan Jansen")
    return picture("PNG", pnginfo=texts)


def animated() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("P", (8, 8), colour) for colour in (1, 2, 3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=b"Camerafabriek")
    return file.getvalue()


PICTURES = {
    "image/jpeg": picture("JPEG", comment=b"Camerafabriek", icc_profile=b"kleuren" * 20),
    "image/png": with_text(),
    "image/gif": animated(),
    "image/webp": picture("WEBP", lossless=True),
    "image/bmp": picture("BMP"),
    "image/tiff": picture("TIFF"),
    "image/heic": HEIC,
}
"""By media type: one for each row of the table of formats."""
