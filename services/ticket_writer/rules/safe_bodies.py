"""What ticket_writer takes of bodies: html that sanitising leaves as it is, whoever wrote the message (SPEC D5)."""

from __future__ import annotations

from shared.html.sanitise import is_safe
from shared.messages import Bodies, Body, ClassifiedMail


def unsafe_readings(mail: ClassifiedMail, bodies: Bodies) -> tuple[str, ...]:
    """The readings whose html is not as the sanitiser leaves it, with images of this mail alone."""
    images = frozenset(str(image.id) for image in mail.images)
    return tuple(name for name, body in readings(bodies).items() if not is_safe(body.html, images))


def readings(bodies: Bodies) -> dict[str, Body]:
    """Those that there are, by their names."""
    named = {"whole": bodies.whole, "above_marker": bodies.above_marker, "trimmed": bodies.trimmed}
    return {name: body for name, body in named.items() if body is not None}
