"""Files of NAME=VALUE lines: `.run/env`, which shells read, and `compose.env`, which Docker Compose reads."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_PLAIN = re.compile(r"[\w/:.@+-]*", re.ASCII)


def for_shell(value: str) -> str:
    """`value` as a shell reads it; also as the plainest KEY=VALUE parser does, so quoted only where a shell must."""
    return value if _PLAIN.fullmatch(value) else "'" + value.replace("'", "'\\''") + "'"


def for_compose(value: str) -> str:
    """`value` as Docker Compose reads it: its single quotes end at the first quote, its double ones substitute."""
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'


def write(file: Path, values: Mapping[str, str], quoted: Callable[[str], str]) -> None:
    """Write all of it or nothing."""
    draft = file.with_suffix(".draft")
    draft.write_text("".join(f"{name}={quoted(value)}\n" for name, value in values.items()), encoding="utf-8")
    draft.rename(file)


def read(file: Path) -> dict[str, str]:
    """What `write` wrote for Docker Compose; nothing when there is no such file."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    values = {}
    for line in lines:
        name, _, value = line.partition("=")
        if value.startswith("'"):
            value = value[1:-1]
        elif value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        values[name] = value
    return values
