"""`python -m tests.fuzz SECONDS [TARGET…]`: fuzzing of the rules, for a bounded time. `make fuzz` starts it.

Reads     tests/mails and `seeds` as seeds; what earlier runs found interesting, in .run/fuzz/<target>/
Writes    .run/fuzz/<target>/ and, for an input that fails, .run/fuzz/<target>-crash-… (or -timeout-, -oom-)
Exit      0 nothing was found, 1 an input fails: its traceback is printed and its file is named
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.fuzz.seeds import seeds_of

_ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = _ROOT / ".run" / "fuzz"
_SEEDS: Final = _ROOT / "tests" / "mails"
_MAILS: Final = frozenset({"mail", "head", "html"})
_LINES: Final = {
    "headers": (
        "=?utf-8?Q?caf=C3=A9?= <a@b.example>",
        'text/plain; name*0*=utf-8a%20; name*1="b"',
        "=?gb2312?B?tPLTobv6?=",
    ),
    "marker": ("Dank\n> ## Typ uw antwoord boven deze regel ##\n> oud", "## Typ uw antwoord\nboven deze regel ##"),
    "reply": (
        "Ja\n\n-- \nJan\n\nOp 3-3-2026 10:00 schreef Els <e@b.example>:\n> oud",
        "---- Forwarded message ----\nVan: Jan <j@b.example>\nDatum: 3-3\nOnderwerp: x\n\nVerstuurd vanaf mijn iPhone",
    ),
    "number": ("Re: [Ticket 12345] van 1-2-2026", "SD-77 #AB12345, tel. 0612345678"),
    "template": (
        "Ticket [ticketnummer] - [[x] [tickettitel]\n<b>[ticketnummer]</b>",
        '<a href="[tickettitel]">x</a>\n"',
    ),
}
_LONGEST: Final = {"mail": 65_536, "head": 65_536, "html": 8_192} | dict.fromkeys(
    ("report", "tnef", "rtf", "cms", "image", "ews", "imap"), 16_384
)
_LONGEST_ELSE: Final = 1_024
_SLOW_SECONDS: Final = 20
_MEMORY_MB: Final = 2_048


def main(arguments: list[str]) -> int:
    """Fuzz each target for its share of the seconds, one process each; what fails in one does not end the others."""
    seconds = int(arguments[0])
    chosen = arguments[1:] or _targets()
    failed = [target for target in chosen if not _fuzz(target, max(1, seconds // len(chosen)))]
    if failed:
        sys.stdout.write(f"An input fails: {', '.join(failed)}. See above, and the files in {_FOLDER}.\n")
    else:
        sys.stdout.write(f"Nothing was found in {seconds} s: {', '.join(chosen)}.\n")
    return 1 if failed else 0


def _targets() -> list[str]:
    from tests.fuzz.readers import READERS  # noqa: PLC0415 - a fuzzed process must import it under instrumentation
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - likewise

    return [*TARGETS, *READERS]


def _fuzz(target: str, seconds: int) -> bool:
    corpus = _FOLDER / target
    corpus.mkdir(parents=True, exist_ok=True)
    if target in _MAILS:
        for seed in _SEEDS.rglob("*.eml"):
            shutil.copyfile(seed, corpus / f"seed-{seed.parent.name}-{seed.stem}")
    for number, line in enumerate(_LINES.get(target, ())):
        (corpus / f"seed-{number}").write_text(line, encoding="utf-8")
    for number, content in enumerate(seeds_of(target)):
        (corpus / f"seed-{number}").write_bytes(content)
    command = [
        sys.executable, "-m", "tests.fuzz.process", target, f"-max_total_time={seconds}", f"-timeout={_SLOW_SECONDS}",
        f"-max_len={_LONGEST.get(target, _LONGEST_ELSE)}", f"-rss_limit_mb={_MEMORY_MB}", "-print_final_stats=1",
        f"-artifact_prefix={_FOLDER}/{target}-", str(corpus),
    ]  # fmt: skip
    return subprocess.run(command, cwd=_ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
