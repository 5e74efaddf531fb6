"""What the importer is made of: each dependency has its reason, the bill of materials is that of the lock."""

import json
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from deploy.local.audit import Advice, advice_of, unpinned
from deploy.local.compose_folder import IMAGES
from deploy.local.pin import PLACES, renamed, with_digest
from deploy.local.sbom import tidied

ROOT = Path(__file__).parents[3]
LOCK = (ROOT / "deploy/requirements.lock").read_text(encoding="utf-8")
SBOM: dict[str, Any] = json.loads((ROOT / "deploy/sbom.cdx.json").read_text(encoding="utf-8"))


def test_every_dependency_has_its_reason_in_one_table() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"], *chain(*groups.values())]
    page = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    reasons = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", page, re.MULTILINE))
    assert reasons.keys() == {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in asked}
    assert len(re.findall(r"^\| `", page, re.MULTILINE)) == len(reasons)


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    locked = {
        (name, version): set(re.findall(r"sha256:([0-9a-f]{64})", hashes))
        for name, version, hashes in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)([^\n]*(?:\n    .*)*)", LOCK, re.MULTILINE)
    }
    listed = {
        (component["name"], component["version"]): {
            digest["content"] for reference in component["externalReferences"] for digest in reference["hashes"]
        }
        for component in SBOM["components"]
    }
    assert listed == locked, "make lock writes it anew"


def test_the_bill_of_materials_names_no_index_and_nothing_of_where_it_was_made() -> None:
    addresses = re.findall(r"\w+://[^\"]*", json.dumps(SBOM))
    assert addresses == [SBOM["$schema"]]
    assert not {"timestamp", "serialNumber"} & {*SBOM, *SBOM["metadata"]}
    purls = [component["purl"] for component in SBOM["components"]]
    assert purls == sorted(purls)


def test_a_component_is_known_by_its_package_url_whatever_its_line() -> None:
    def bom(line: int) -> dict[str, Any]:
        reference = {"type": "distribution", "url": "https://index.example/simple/a/", "hashes": [{"content": "x"}]}
        component = {
            "bom-ref": f"requirements-L{line}", "type": "library", "name": "a", "version": "1", "purl": "pkg:pypi/a@1",
            "description": f"requirements line {line}", "externalReferences": [reference],
        }  # fmt: skip
        tools = {"components": [{"type": "library", "name": "t", "version": f"{line}"}]}
        about = {"$schema": "s", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
        return {**about, "metadata": {"component": {}, "tools": tools}, "components": [component], "dependencies": []}

    assert tidied(bom(1)) == tidied(bom(7))


def test_what_could_not_be_asked_is_not_well() -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": []},
            {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]},
            {"name": "c", "skip_reason": "not found"},
        ]
    }
    assert advice_of(report) == Advice(("b 2: CVE-1, mended in 3",), ("c",))


@pytest.mark.parametrize(("image", "expected"), [("postgres:17", ["postgres:17"]), ("postgres:17@sha256:ab", [])])
def test_an_image_by_tag_alone_is_named(image: str, expected: list[str]) -> None:
    assert unpinned({"POSTGRES_IMAGE": image}) == expected


@pytest.mark.parametrize("place", PLACES)
def test_images_are_named_by_digest_wherever_their_defaults_stand(place: str) -> None:
    text = (ROOT / place).read_text(encoding="utf-8")
    first, second = (f"sha256:{letter * 64}" for letter in "ab")
    once = {image: with_digest(image, {image.partition("@")[0]: first}.__getitem__) for image in IMAGES.values()}
    again = {now: with_digest(now, {now.partition("@")[0]: second}.__getitem__) for now in once.values()}
    pinned = renamed(text, once)
    assert pinned.count(first) == sum(text.count(image) for image in IMAGES.values()) > 0
    assert renamed(pinned, again) == pinned.replace(first, second)


def test_every_base_image_is_one_that_the_audit_looks_at() -> None:
    text = "".join((ROOT / "deploy" / name).read_text(encoding="utf-8") for name in ("compose.yaml", "Dockerfile"))
    named = {*re.findall(r"^ARG BASE_IMAGE=(\S+)", text, re.MULTILINE), *re.findall(r"_IMAGE:-([a-z]+:[^}]+)}", text)}
    assert named == set(IMAGES.values())
