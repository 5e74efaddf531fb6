"""The virtual environment is made anew exactly when it has to be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.checkout import Checkout
from deploy.local.failure import SetUpFailed
from deploy.local.virtualenv import VirtualEnvironment

ROOT = Path(__file__).parents[3]
LOCK = "deploy/requirements-dev.lock"


def append(file: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with (root / file).open("a") as out:
            out.write(text)

    return change


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new))

    return change


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout whose environment says that all of it is installed."""
    checkout = Checkout(tmp_path)
    (tmp_path / "deploy").mkdir()
    for file in (LOCK, "deploy/requirements-build.lock", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    environment = VirtualEnvironment(checkout)
    checkout.venv.mkdir()
    stamp = environment._dependencies() | environment._project()
    (checkout.venv / "made-by-make.json").write_text(json.dumps(stamp))
    return checkout


def test_what_is_installed_is_left_as_it_is(checkout: Checkout) -> None:
    assert VirtualEnvironment(checkout).is_current()


@pytest.mark.parametrize(
    ("change", "current"),
    [
        pytest.param(append(LOCK, "another==1.0\n"), False, id="another dependency"),
        pytest.param(replace("pyproject.toml", "helpdesk-importer = ", "importer = "), False, id="another command"),
        pytest.param(append("pyproject.toml", '\n[tool.other]\nlines = "long"\n'), True, id="a linter's setting"),
        pytest.param(replace(".venv/made-by-make.json", '"python"', '"pithon"'), False, id="another Python"),
        pytest.param(lambda root: (root / ".venv/made-by-make.json").write_text("{}"), False, id="interrupted"),
        pytest.param(lambda root: (root / ".venv/made-by-make.json").write_text(""), False, id="cut short"),
    ],
)
def test_a_change_that_matters_is_noticed(checkout: Checkout, change: Callable[[Path], None], *, current: bool) -> None:
    change(checkout.root)
    assert VirtualEnvironment(checkout).is_current() is current


def test_ours_is_removed(checkout: Checkout) -> None:
    VirtualEnvironment(checkout).remove()
    assert not checkout.venv.exists()


def test_one_that_somebody_else_made_is_not(checkout: Checkout) -> None:
    (checkout.venv / "made-by-make.json").unlink()
    with pytest.raises(SetUpFailed, match="was not made by `make`"):
        VirtualEnvironment(checkout).remove()
    assert checkout.venv.exists()
