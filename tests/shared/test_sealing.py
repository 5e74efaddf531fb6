"""Passwords at rest: a public key seals, only private keys open, and keys can be rotated."""

import base64
import hashlib
import hmac

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from pydantic import SecretStr

from shared.errors import Misconfigured
from shared.sealing import CannotOpen, Keyring, SealingKey, new_key

PASSWORD = SecretStr("wächtwoord")


def with_keys(*keys: SecretStr) -> Keyring:
    return Keyring.from_secret(SecretStr("\n".join(key.get_secret_value() for key in keys)))


def test_S3_a_password_comes_back_and_is_not_readable_at_rest() -> None:
    keyring = with_keys(new_key())
    sealed = keyring.public.seal(PASSWORD)
    assert b"chtwoord" not in sealed
    assert keyring.open(sealed) == PASSWORD
    assert keyring.public.seal(PASSWORD) != sealed


def test_who_has_the_public_key_alone_seals() -> None:
    keyring = with_keys(new_key())
    assert keyring.open(SealingKey(keyring.public.raw).seal(PASSWORD)) == PASSWORD


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    old, new = new_key(), new_key()
    sealed = with_keys(old).public.seal(PASSWORD)
    both = with_keys(new, old)
    assert both.public == with_keys(new).public
    assert both.open(sealed) == PASSWORD
    resealed = both.reseal(sealed)
    assert with_keys(new).open(resealed) == PASSWORD
    with pytest.raises(CannotOpen):
        with_keys(old).open(resealed)


def test_a_secret_of_before_sealing_is_opened_by_the_key_that_encrypted_it_and_sealed_by_the_newest() -> None:
    old, new = new_key(), new_key()
    encrypted = Fernet(old.get_secret_value()).encrypt(PASSWORD.get_secret_value().encode())
    both = with_keys(new, old)
    assert both.open(encrypted) == PASSWORD
    assert with_keys(new).open(both.reseal(encrypted)) == PASSWORD


def test_what_is_sealed_is_as_the_documents_tell_those_who_seal_elsewhere() -> None:
    """Opened by RFC 9180, sections 4.1 and 5.1, written out: no HPKE of our library."""
    line = new_key()
    sealed = with_keys(line).public.seal(PASSWORD)
    version, key_id, encapsulated, ciphertext = sealed[:1], sealed[1:9], sealed[9:41], sealed[41:]
    seed = HKDF(SHA256(), 32, salt=None, info=b"helpdesk-importer sealing key 1").derive(
        base64.urlsafe_b64decode(line.get_secret_value())
    )
    private = X25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    assert (version, key_id) == (b"\x01", hashlib.sha256(public).digest()[:8])

    def extract(suite: bytes, salt: bytes, label: bytes, given: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + given, "sha256")

    def expand(suite: bytes, key: bytes, label: bytes, given: bytes, length: int) -> bytes:
        info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + given
        return HKDFExpand(SHA256(), length, info).derive(key)

    kem, hpke = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    shared = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    shared = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", encapsulated + public, 32)
    context = b"\x00" + extract(hpke, b"", b"psk_id_hash", b"")
    context += extract(hpke, b"", b"info_hash", b"helpdesk-importer secret 1")
    secret = extract(hpke, shared, b"secret", b"")
    key, nonce = expand(hpke, secret, b"key", context, 32), expand(hpke, secret, b"base_nonce", context, 12)
    assert AESGCM(key).decrypt(nonce, ciphertext, b"").decode() == PASSWORD.get_secret_value()


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"not a token", b"gAAAAAB" + b"A" * 90])
def test_what_no_key_opens_is_an_error_with_a_remedy(damaged: bytes) -> None:
    keyring = with_keys(new_key(), new_key())
    for act in (keyring.open, keyring.reseal):
        with pytest.raises(CannotOpen, match="set the password or certificate again"):
            act(damaged)


def test_a_bit_that_flipped_is_noticed() -> None:
    keyring = with_keys(new_key())
    sealed = bytearray(keyring.public.seal(PASSWORD))
    for place in (9, len(sealed) - 1):
        sealed[place] ^= 1
        with pytest.raises(CannotOpen):
            keyring.open(bytes(sealed))


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
        Keyring.from_secret(SecretStr(keys))
    assert not keys or keys not in str(raised.value)


def test_keys_are_never_shown() -> None:
    key = new_key()
    assert key.get_secret_value() not in repr(with_keys(key))


def test_a_fingerprint_tells_the_same_secret_of_the_same_account_to_who_has_the_key() -> None:
    key = new_key()
    keyring, other = with_keys(key), with_keys(new_key())
    fingerprint = keyring.fingerprint("jan@desk.example", PASSWORD)
    assert fingerprint == with_keys(key).fingerprint("jan@desk.example", PASSWORD)
    assert len(fingerprint) == 32
    assert fingerprint not in {
        keyring.fingerprint("els@desk.example", PASSWORD),
        keyring.fingerprint("jan@desk.example", SecretStr("anders")),
        other.fingerprint("jan@desk.example", PASSWORD),
    }
