"""Bytes to text, whatever the mail says about its charset.

Labels follow the WHATWG encoding standard where senders do (`iso-8859-1` holds windows-1252, `gb2312` holds gb18030),
beside the names that mailers made up. Undeclared bytes are UTF-8 if they can be (RFC 6532), else of a language that
does not write in Latin letters if they look like it, else windows-1252. The result never holds a lone surrogate; NUL
and control characters are `safe_text`'s.
"""

# ruff: noqa: RUF001 - letters that resemble Latin ones

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final

from charset_normalizer import from_bytes

_ALIASES: Final = {
    "": "utf-8",
    "8bit": "utf-8",
    "7bit": "utf-8",
    "ansi": "cp1252",
    "ansi_x3.4-1968": "utf-8",
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "utf8mb4": "utf-8",
    "x-utf8": "utf-8",
    "x-unknown": "utf-8",
    "unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "x-user-defined": "cp1252",
    "default": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "iso-8859-6-e": "iso-8859-6",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-8-i": "iso-8859-8",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "windows-874": "cp874",
    "windows-1252": "cp1252",
    "x-cp1252": "cp1252",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "tis-620": "cp874",
    "x-gbk": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "x-euc-cn": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "x-windows-949": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "unicode": "utf-16",
    "utf-16-le": "utf-16-le",
}
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "charmap"})
"""Python codecs that are no charset of mail; punycode takes quadratic time."""

_HTML_CHARSET: Final = re.compile(
    rb"""<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9._:-]{2,40})""", re.IGNORECASE
)
_RUN: Final = re.compile(rb"[\x80-\xff]{2,}")
_UTF8_ALONE: Final = re.compile(
    rb"\xe2\x80[\x80-\xbf]|(?<![A-Z])[\xc2\xc3][\x80-\xbf]|\xc2\xa0|"
    rb"[A-Z]\xc3[\x80-\x84\x86-\x90\x95\x98\x9a-\x9f\xa1-\xad\xaf-\xba\xbc-\xbf]"
)
"""A character of UTF-8 that makes no word as windows-1252: «cafÃ©», «itâ€™s»; «MAÃ”», a mark behind capitals, may."""
_GUESSED: Final = ("gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256")
_CYRILLIC: Final = ("cp1251", "koi8_r")
_RUSSIAN_WORD: Final = re.compile(r"\b(?:[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+)\b")
_RUSSIAN_VOWEL: Final = frozenset("аеёиоуыэюяАЕЁИОУЫЭЮЯ")
_FREQUENT_RUSSIAN: Final = frozenset("оеаинтсрвлк")
_READS_WELL: Final = 0.8
_FREQUENT_SHARE: Final = 0.6
"""How many letters of a Russian text are of the ten most frequent."""
_FREQUENT_CHINESE: Final = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家"
    "事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日意无力它与长把机十第公此已工"
    "使情明性知全三又关点正业外将两高间由问很最重并物手应向头文体见被什二等产或新制身果加月话合回特代内信表化给世位次度"
    "任常先通原提及比员解水名处各入几口认条平系气题更别打变四总何电数安少报才结反受目量再建务做接必场件计管期市直资金指"
    "统区保至形便空决司五书非则听达放强难且完设式记品住告类求据程边该交规取确请您谢帮忙修印票故障单订货款"
)
_FREQUENT_CHINESE_SHARE: Final = 0.35
"""Four times what bytes of another language would reach by chance."""
_GUESSED_BYTES: Final = 8 * 1024
_FEWEST_HIGH_BYTES: Final = 8
_ESCAPE: Final = re.compile(rb"\x1b(\$[@B]|\$\([@BD]|\([BJIH])")
_JIS_TEXT: Final = re.compile(rb"\x1b\$[@B](?:[!-~]{2}){1,2000}\x1b\([BJ]")
_BEGINNING: Final = 512
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=512)
def codec_of(label: str) -> str | None:
    """The Python codec that reads what a mail labels so; None for a label that nobody knows."""
    cleaned = label.strip().strip("\"'").strip().lower().removeprefix("charset=")
    name = _ALIASES.get(cleaned) or _ALIASES.get(cleaned.replace("_", "-")) or cleaned
    if name.startswith("cp-"):
        name = "cp" + name[3:]
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not getattr(info, "_is_text_encoding", False) or info.name.replace("_", "-") in _NO_CHARSETS:
        return None
    return name


def decode(content: bytes, label: str | None = None) -> str:
    """Text of `content`: by a byte order mark, its label, as UTF-8, by a guess, else as windows-1252; never fails."""
    if content.startswith(codecs.BOM_UTF8):
        return content[3:].decode("utf-8", "replace")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _without_surrogates(content.decode("utf-16", "replace"))
    codec = codec_of(label) if label else None
    if codec is None or codec == "utf-8":
        return _decode_unlabelled(content)
    if codec == "cp1252" and _is_surely_utf8(content):
        return content.decode("utf-8")
    if codec == "utf-16":
        codec = "utf-16-be" if content[::2].count(0) >= content[1::2].count(0) else "utf-16-le"  # RFC 2781 §4.3
    try:
        return _without_surrogates(content.decode(codec))
    except (UnicodeError, ValueError):
        return _decode_mislabelled(content, codec)


def _decode_unlabelled(content: bytes) -> str:
    """Text of bytes that name no charset, or UTF-8, for which ASCII stands too.

    QUIRK: ISO-2022-JP and UTF-16 are valid ASCII: what they are, their escapes and their zeros tell.
    """
    if _JIS_TEXT.search(content) is not None and content.isascii():
        return _decode_iso2022_jp(content)
    beginning = content[:_BEGINNING]
    zeros = beginning[::2].count(0), beginning[1::2].count(0)
    if max(zeros) * 3 > len(beginning) and not min(zeros):
        return _without_surrogates(content.decode("utf-16-le" if zeros[1] else "utf-16-be", "replace"))
    return _decode_utf8(content)


def _decode_mislabelled(content: bytes, codec: str) -> str:
    if codec == "iso2022_jp_ext" and b"\x1b" in content:
        return _decode_iso2022_jp(content)
    if codec in {"utf-7", "utf-16-le", "utf-16-be"} or _is_utf8(content):
        return _decode_utf8(content)
    guessed = _guess(content) if codec.startswith("iso2022") else None
    return _without_surrogates(content.decode(guessed or codec, "replace"))


def html_label(content: bytes, label: str | None) -> str | None:
    """The charset of an html document whose part names `label`, or none: then what it says itself in its first 2 KiB.

    That counts too where nothing can be read by `label`, and all by that, as with mail that a gateway labelled anew.
    A document that can say so in ASCII is not in UTF-16 (WHATWG HTML, «prescan a byte stream»).
    """
    found = _HTML_CHARSET.search(content, 0, 2048)
    named = found[1].decode("ascii") if found else None
    if named is not None and named.lower().startswith("utf-16"):
        named = "utf-8"
    if not label or named is None or content.isascii():
        return label or named
    codec = codec_of(label) or "utf-8"
    is_readable = _decodes(content, codec) and not (codec == "cp1252" and _is_russian(content, named))
    return label if is_readable or not _decodes(content, codec_of(named)) else named


def _is_russian(content: bytes, label: str) -> bool:
    """Whether bytes that something calls Latin are Russian by `label`, and read so."""
    codec = codecs.lookup(codec_of(label) or "utf-8").name.replace("-", "_")
    return codec in _CYRILLIC and _reads_as_russian(content[:_GUESSED_BYTES], codec) >= _READS_WELL


def _decodes(content: bytes, codec: str | None) -> bool:
    if codec is None:
        return False
    try:
        content.decode(codec)
    except (UnicodeError, ValueError):
        return False
    return True


def _is_utf8(content: bytes) -> bool:
    return _decodes(content, "utf-8")


def _decode_utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        as_utf8 = content.decode("utf-8", "replace")
    # QUIRK: mail cut in the middle of a character, or joined from two charsets, is still UTF-8 for the most part.
    damaged = as_utf8.count("\ufffd")
    multibyte = sum(1 for byte in content if byte >= 0xC2) if len(content) < 65_536 else damaged * 10  # noqa: PLR2004 - first byte of a sequence
    if damaged * 4 < multibyte:
        return as_utf8
    return _without_surrogates(content.decode(_guess(content) or "cp1252", "replace"))


def _is_surely_utf8(content: bytes) -> bool:
    """QUIRK: mailers that call everything Latin-1. Two characters of several bytes make no Latin text by chance."""
    runs = _RUN.findall(content)
    if sum(map(len, runs)) < 2 * 2 and not (runs and _UTF8_ALONE.search(content)):
        return False
    return _is_utf8(content)


def _guess(content: bytes) -> str | None:
    """The charset of bytes that are no Latin text: those stand in runs, accented letters stand alone.

    Only then is a library asked, and only for such charsets: on western text it is right less often than windows-1252.
    """
    high = sum(1 for byte in content[:_GUESSED_BYTES] if byte >= 0x80)  # noqa: PLR2004 - what ASCII does not hold
    in_runs = sum(len(run) for run in _RUN.findall(content, 0, _GUESSED_BYTES))
    if high < _FEWEST_HIGH_BYTES or in_runs * 5 < high * 3:
        return None
    if (cyrillic := _cyrillic(content[:_GUESSED_BYTES])) is not None:
        return cyrillic
    if _reads_as_chinese(content[:_GUESSED_BYTES]):
        return "gb18030"
    best = from_bytes(content[:_GUESSED_BYTES], cp_isolation=list(_GUESSED)).best()
    return best.encoding if best is not None else None


def _cyrillic(content: bytes) -> str | None:
    """KOI8-R or windows-1251, where the text reads as Russian does; None where neither does.

    Each is the other's letters in another order and with the cases swapped: what it is not reads «оРНАКЕЛЮ».
    """
    best = max(_CYRILLIC, key=lambda codec: _reads_as_russian(content, codec))
    return best if _reads_as_russian(content, best) >= _READS_WELL else None


def _reads_as_russian(content: bytes, codec: str) -> float:
    """The share of letters beyond ASCII that stand where Russian has them: common ones, capitals in front alone."""
    text = content.decode(codec, "replace")
    high = sum(1 for character in text if not character.isascii() and not character.isspace())
    common = sum(len(word) for word in _RUSSIAN_WORD.findall(text) if not _RUSSIAN_VOWEL.isdisjoint(word))
    frequent = sum(1 for character in text.lower() if character in _FREQUENT_RUSSIAN)
    return (common / high) * min(1.0, frequent / high / _FREQUENT_SHARE) if high else 0.0


def _reads_as_chinese(content: bytes) -> bool:
    """Whether bytes that may be Korean or Japanese too have the characters that simplified Chinese uses most."""
    text = content.decode("gb18030", "ignore")
    characters = [character for character in text if "\u3040" <= character <= "\u9fff"]
    frequent = sum(1 for character in characters if character in _FREQUENT_CHINESE)
    return bool(characters) and frequent >= _FREQUENT_CHINESE_SHARE * len(characters)


def _decode_iso2022_jp(content: bytes) -> str:
    """ISO-2022-JP with the characters that vendors added (NEC row 13, «①» and the like): read as their Shift_JIS."""
    pieces: list[str] = []
    position, double = 0, False
    for escape in [*_ESCAPE.finditer(content), None]:
        end = escape.start() if escape else len(content)
        pieces.append(_from_jis(content[position:end]) if double else content[position:end].decode("cp932", "replace"))
        if escape is not None:
            position, double = escape.end(), escape[1].startswith(b"$")
    return _without_surrogates("".join(pieces))


def _from_jis(content: bytes) -> str:
    shifted = bytearray()
    for first, second in zip(content[::2], content[1::2], strict=False):
        row, cell = first - 0x21, second - 0x21
        shifted.append(row // 2 + (0x81 if row < 0x3E else 0xC1) & 0xFF)  # noqa: PLR2004 - JIS X 0208's row 63
        shifted.append(cell + (0x9F if row % 2 else 0x40 + (cell >= 0x3F)) & 0xFF)  # noqa: PLR2004 - no 0x7F in Shift_JIS
    return shifted.decode("cp932", "replace")


def _without_surrogates(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text)
