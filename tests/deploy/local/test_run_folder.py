"""`.run` is where PostgreSQL's account can reach it, or the command says why it cannot be."""

from pathlib import Path

import pytest

from deploy.local.account import Account
from deploy.local.checkout import Checkout
from deploy.local.failure import SetUpFailed
from deploy.local.run_folder import make_run_folder, remove_run_folder


def account_shut_out_of(*folders: Path) -> Account:
    """An account for which `test -x` fails within these folders, as it does for root's `nobody` in a private home."""
    within = "|".join(f"'{folder}'*" for folder in folders)
    return Account(65534, 65534, ("sh", "-c", f'case "$2" in {within}) exit 1;; esac'))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    (tmp_path / "private").mkdir()
    return Checkout(tmp_path / "private")


def test_an_ordinary_users_folder_is_private(checkout: Checkout) -> None:
    make_run_folder(checkout, Account(1000, 1000))
    assert checkout.run.stat().st_mode & 0o777 == 0o700


def test_in_roots_private_home_it_is_a_link_to_a_place_for_data(checkout: Checkout, tmp_path: Path) -> None:
    for _ in range(2):
        make_run_folder(checkout, account_shut_out_of(checkout.root), tmp_path / "var")
        assert checkout.run.is_symlink()
        assert checkout.run.resolve().parent == tmp_path / "var"
        assert checkout.run.resolve().stat().st_mode & 0o777 == 0o755


def test_removing_it_removes_what_it_leads_to(checkout: Checkout, tmp_path: Path) -> None:
    make_run_folder(checkout, account_shut_out_of(checkout.root), tmp_path / "var")
    (checkout.run / "data").mkdir()
    remove_run_folder(checkout)
    assert not checkout.run.is_symlink()
    assert list((tmp_path / "var").iterdir()) == []


def test_where_no_place_can_be_reached_the_sentence_says_what_to_do(checkout: Checkout, tmp_path: Path) -> None:
    with pytest.raises(SetUpFailed, match=r"refuses to run as root.*clone the project outside a private home"):
        make_run_folder(checkout, account_shut_out_of(checkout.root, tmp_path / "var"), tmp_path / "var")


def test_data_that_is_there_already_is_not_moved(checkout: Checkout, tmp_path: Path) -> None:
    make_run_folder(checkout, Account(1000, 1000))
    (checkout.run / "postgres").mkdir()
    with pytest.raises(SetUpFailed, match="make clean"):
        make_run_folder(checkout, account_shut_out_of(checkout.root), tmp_path / "var")
    assert (checkout.run / "postgres").exists()
