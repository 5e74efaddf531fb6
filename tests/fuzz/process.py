"""The process that is fuzzed: one target under atheris, its rules instrumented. Options are libFuzzer's."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["services.classifier", "services.fetcher", "shared.html", "shared.templates"]):
    from tests.fuzz.readers import READERS
    from tests.fuzz.targets import TARGETS


def main(arguments: list[str]) -> None:
    """Never returns: libFuzzer ends the process."""
    target = {**TARGETS, **READERS}[arguments[1]]
    atheris.Setup([arguments[0], *arguments[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
