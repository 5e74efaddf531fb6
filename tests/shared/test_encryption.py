"""Passwords at rest: only our keys open them, and keys can be rotated."""

import pytest
from pydantic import SecretStr

from shared.encryption import CannotDecrypt, Encryption, new_key
from shared.errors import Misconfigured

PASSWORD = SecretStr("wächtwoord")


def with_keys(*keys: SecretStr) -> Encryption:
    return Encryption.from_secret(SecretStr("\n".join(key.get_secret_value() for key in keys)))


def test_S3_a_password_comes_back_and_is_not_readable_at_rest() -> None:
    encryption = with_keys(new_key())
    encrypted = encryption.encrypt(PASSWORD)
    assert b"chtwoord" not in encrypted
    assert encryption.decrypt(encrypted) == PASSWORD
    assert encryption.encrypt(PASSWORD) != encrypted


def test_the_newest_key_encrypts_and_older_ones_still_decrypt() -> None:
    old, new = new_key(), new_key()
    encrypted = with_keys(old).encrypt(PASSWORD)
    both = with_keys(new, old)
    assert both.decrypt(encrypted) == PASSWORD
    rotated = both.rotate(encrypted)
    assert with_keys(new).decrypt(rotated) == PASSWORD
    with pytest.raises(CannotDecrypt):
        with_keys(old).decrypt(rotated)


@pytest.mark.parametrize("damaged", [b"", b"not a token", b"gAAAAAB" + b"A" * 90])
def test_what_no_key_opens_is_an_error_with_a_remedy(damaged: bytes) -> None:
    encryption = with_keys(new_key())
    for act in (encryption.decrypt, encryption.rotate):
        with pytest.raises(CannotDecrypt, match="set the password or certificate again"):
            act(damaged)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        pytest.param("", "is empty", id="none"),
        pytest.param("c2hvcnQ=", "Key 1", id="too short"),
        pytest.param("bad key", "Key 1", id="no base64"),
    ],
)
def test_bad_keys_stop_the_start_and_are_not_repeated(keys: str, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence) as raised:
        Encryption.from_secret(SecretStr(keys))
    assert not keys or keys not in str(raised.value)


def test_keys_are_never_shown() -> None:
    key = new_key()
    assert key.get_secret_value() not in repr(with_keys(key))
