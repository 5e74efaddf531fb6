"""The bill of materials as it is kept beside the locks: what it lists, and nothing of where it was made."""

from typing import Any


def tidied(bom: dict[str, Any]) -> dict[str, Any]:
    """What cyclonedx-py makes of a lock, with components by their package URL and no address of an index.

    It says the line of the lock where a component stands, and guesses where it is distributed: a change of one line
    would change them all, and an index is the choice of who installs. Of who depends on whom a lock tells nothing.
    """
    made_by = [{"type": tool["type"], "name": tool["name"]} for tool in bom["metadata"]["tools"]["components"]]
    return {
        "$schema": bom["$schema"],
        "bomFormat": bom["bomFormat"],
        "specVersion": bom["specVersion"],
        "version": bom["version"],
        "metadata": {"component": bom["metadata"]["component"], "tools": {"components": made_by}},
        "components": sorted(map(_component, bom["components"]), key=lambda component: str(component["purl"])),
    }


def _component(component: dict[str, Any]) -> dict[str, Any]:
    purl = component["purl"]
    files = [each["hashes"] for each in component["externalReferences"] if each["type"] == "distribution"]
    return {
        "type": component["type"],
        "bom-ref": purl,
        "name": component["name"],
        "version": component["version"],
        "purl": purl,
        # each hash is of one of its files: together they are those that the lock takes
        "externalReferences": [{"type": "distribution", "url": purl, "hashes": hashes} for hashes in files],
    }
