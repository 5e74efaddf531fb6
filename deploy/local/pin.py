"""`make pin`: name the base images by the digests that their registry tells now, wherever their defaults stand.

A tag is a name that its owner moves; a digest is the content. It needs Docker with buildx, and a registry that answers.
"""

import re
from collections.abc import Callable
from pathlib import Path

from deploy.local import docker
from deploy.local.compose_folder import IMAGES
from deploy.local.console import say
from deploy.local.failure import SetUpFailed
from deploy.local.tools import run

PLACES = ("deploy/compose.yaml", "deploy/Dockerfile", "deploy/local/compose_folder.py")
_DIGEST = re.compile(r"^Digest:\s+(sha256:[0-9a-f]{64})$", re.MULTILINE)


def pin(root: Path) -> None:
    """Rewrite the files of a checkout; SetUpFailed, with nothing written, where a digest is not told."""
    docker.refuse_missing()
    pinned = {image: with_digest(image, told_digest) for image in IMAGES.values()}
    texts = {place: (root / place).read_text(encoding="utf-8") for place in PLACES}
    for place, text in texts.items():
        (root / place).write_text(renamed(text, pinned), encoding="utf-8")
    for image, now in pinned.items():
        say(f"  {image} is {now}" if image != now else f"  {image} as before")


def with_digest(image: str, digest_of: Callable[[str], str]) -> str:
    """`name:tag@sha256:…`, whatever digest it had before."""
    tagged = image.partition("@")[0]
    return f"{tagged}@{digest_of(tagged)}"


def told_digest(tagged: str) -> str:
    """What the registry says of a tag: the digest of its list of platforms, if it has one."""
    # QUIRK: buildx 0.13 heeds no --format for an image of one platform; the first digest is that of the whole
    asked = run(["docker", "buildx", "imagetools", "inspect", tagged])
    if asked.code != 0 or not (digest := _DIGEST.search(asked.output)):
        raise SetUpFailed(f"The registry of {tagged} does not tell its digest, so nothing is pinned: {asked.errors()}")
    return digest[1]


def renamed(text: str, pinned: dict[str, str]) -> str:
    """`text` with each image's name replaced where it stands whole."""
    for image, now in pinned.items():
        text = re.sub(rf"(?<![\w./]){re.escape(image)}(?![\w.@:-])", now, text)
    return text
