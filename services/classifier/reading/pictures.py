"""The bytes of pictures on their way out of a reading process: behind the JSON that tells of the mail, not within it.

In JSON they would be base64, made, escaped, parsed and undone again: several copies of each picture on both sides.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo


def _set_apart(content: bytes, info: SerializationInfo[list[bytes]]) -> int:
    """The place of `content` in the list that is the context, behind which it is put."""
    info.context.append(content)
    return len(info.context) - 1


def _put_back(place: Any, info: ValidationInfo[list[bytes]]) -> bytes:
    """The bytes at `place`. Raises ValueError for what is none: who wrote the answer may be anybody."""
    if type(place) is not int or not 0 <= place < len(info.context):
        raise ValueError("no picture stands there")
    return info.context[place]


SetApart = Annotated[bytes, PlainSerializer(_set_apart, return_type=int), PlainValidator(_put_back)]
"""Bytes that JSON has the place of, in the list of pictures that is the context."""
