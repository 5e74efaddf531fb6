"""`make audit`: known weaknesses of what is locked, and base images that are named by tag alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.local.checkout import Checkout
from deploy.local.compose_folder import IMAGES
from deploy.local.console import say
from deploy.local.locks import bring_tools
from deploy.local.tools import plain_environment, run

_LOCKS = ("deploy/requirements.lock", "deploy/requirements-build.lock")


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known: a line for each weakness, and the dependencies that the database did not tell of."""

    weaknesses: tuple[str, ...]
    unknown: tuple[str, ...]


def audit(checkout: Checkout) -> bool:
    """Say what there is to know; whether all of it was looked up, and is well."""
    report = checkout.run / "audit.json"
    report.unlink(missing_ok=True)
    arguments = [part for lock in _LOCKS for part in ("--requirement", lock)]
    asked = run(
        [
            *(str(bring_tools(checkout) / "pip-audit"), "--require-hashes", "--disable-pip"),
            *("--progress-spinner", "off", "--format", "json", "--output", str(report), *arguments),
        ],
        environment=plain_environment(),
        folder=checkout.root,
    )
    if report.exists():
        advice = advice_of(json.loads(report.read_text(encoding="utf-8")))
        is_well = _tell(advice)
    else:
        say("NOT LOOKED UP: the database of advisories cannot be reached from here, so nothing is known. It said:")
        say(f"  {asked.output.strip().splitlines()[-1][:300]}")
        is_well = False
    tagged = unpinned(IMAGES)
    if tagged:
        say("Base images that are named by tag alone, so that their content may change; `make pin`, where their")
        say("registry is reached, names them by digest:")
        for image in tagged:
            say(f"  {image}")
    return is_well and not tagged


def advice_of(report: Mapping[str, Any]) -> Advice:
    """What pip-audit reports in JSON. QUIRK: it calls it a success when it could ask of nothing at all."""
    found = report["dependencies"]
    return Advice(
        tuple(
            f"{each['name']} {each['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions'])}"
            for each in found
            for weakness in each.get("vulns", ())
        ),
        tuple(each["name"] for each in found if "skip_reason" in each),
    )


def unpinned(images: Mapping[str, str]) -> list[str]:
    """The images that are named without a digest."""
    return sorted(image for image in images.values() if "@sha256:" not in image)


def _tell(advice: Advice) -> bool:
    for weakness in advice.weaknesses:
        say(weakness)
    if advice.unknown:
        say(f"NOT LOOKED UP: the database of advisories tells nothing of {len(advice.unknown)} dependencies:")
        say(f"  {', '.join(advice.unknown)}")
    if advice == Advice((), ()):
        say("No weakness of a locked dependency is known.")
    return advice == Advice((), ())
