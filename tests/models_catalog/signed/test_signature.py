"""Only the very bytes with the signature of a known key are taken; nothing that is no signature breaks anything."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models_catalog.signed.errors import Reason
from models_catalog.signed.file_names import is_plain_name
from models_catalog.signed.keys import PublicKey, key_id, read_keys, read_public_key, shipped_keys
from models_catalog.signed.signature import SignatureRefused, read_signature, verify
from tests.models_catalog.signed.publisher import sign_index

TODAY = date(2026, 11, 24)
BODY = b'{"format": "something"}\n'
SECRET = sign_index().new_key()
OTHER = sign_index().new_key()
SIGNATURE = sign_index().signature_of(BODY, SECRET, "timestamp:1").encode()
# Made by minisign 0.11 itself.
MINISIGN_KEY = "RWRPobDmElI4HhcokedvF88wuKlQF6qT5u2WEq4jL3CZsnO3MxsavmT3"


def _public(secret: object, not_after: date | None = None) -> PublicKey:
    return read_public_key(secret.public_line, not_after)  # type: ignore[attr-defined]


KEYS = (_public(OTHER), _public(SECRET))


def _refusal(body: bytes, signature: bytes, keys: tuple[PublicKey, ...] = KEYS) -> Reason:
    with pytest.raises(SignatureRefused) as refused:
        verify(body, signature, keys, today=TODAY)
    return refused.value.reason


def test_a_signature_holds() -> None:
    assert verify(BODY, SIGNATURE, KEYS, today=TODAY) == KEYS[1]
    assert verify(BODY, SIGNATURE.replace(b"\n", b"\r\n"), KEYS, today=TODAY) == KEYS[1]


def test_an_altered_byte() -> None:
    for place in range(len(BODY)):
        altered = bytearray(BODY)
        altered[place] ^= 1
        assert _refusal(bytes(altered), SIGNATURE) is Reason.SIGNATURE
    assert _refusal(BODY + b"\n", SIGNATURE) is Reason.SIGNATURE


def test_an_altered_comment() -> None:
    assert _refusal(BODY, SIGNATURE.replace(b"timestamp:1", b"timestamp:2")) is Reason.SIGNATURE


def test_another_key() -> None:
    assert _refusal(BODY, SIGNATURE, (_public(OTHER),)) is Reason.UNKNOWN_KEY
    assert _refusal(BODY, SIGNATURE, ()) is Reason.UNKNOWN_KEY
    named_alike = PublicKey(id=KEYS[1].id, key=KEYS[0].key)
    assert _refusal(BODY, SIGNATURE, (named_alike,)) is Reason.SIGNATURE


def test_a_key_expires_for_what_is_new() -> None:
    last_day = (_public(SECRET, TODAY),)
    assert verify(BODY, SIGNATURE, last_day, today=TODAY)
    over = (_public(SECRET, date(2026, 11, 23)),)
    assert _refusal(BODY, SIGNATURE, over) is Reason.EXPIRED_KEY
    assert verify(BODY, SIGNATURE, over, today=None)


def test_a_signature_of_the_old_kind_is_none() -> None:
    import base64

    lines = SIGNATURE.decode().splitlines()
    lines[1] = base64.b64encode(b"Ed" + base64.b64decode(lines[1])[2:]).decode()
    assert _refusal(BODY, "\n".join(lines).encode()) is Reason.UNSIGNED


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")))
@example(b"")
@example(b"untrusted comment: \n\ntrusted comment: \n\n")
@example(b"untrusted comment: x\n\xff\ntrusted comment: x\n=\n")
@example(SIGNATURE + b" " * 5000)
def test_whatever_is_no_signature_is_refused(text: bytes) -> None:
    with pytest.raises(SignatureRefused):
        read_signature(text)


@given(st.integers(0, len(SIGNATURE) - 1), st.integers(0, 255))
def test_a_changed_signature_never_breaks_anything(place: int, value: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[place] = value
    try:
        verify(BODY, bytes(changed), KEYS, today=TODAY)
    except SignatureRefused:
        return
    # The untrusted comment is not signed; base64 ignores nothing, and line ends may be of any kind.
    _first, *rest = bytes(changed).decode("utf-8", "replace").splitlines()
    assert rest == SIGNATURE.decode().splitlines()[1:]


def test_base64_has_one_form() -> None:
    line = SIGNATURE.decode().splitlines()[1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    same = letters[letters.index(line[-2]) + 1]
    assert _refusal(BODY, SIGNATURE.replace(line.encode(), f"{line[:-2]}{same}=".encode())) is Reason.UNSIGNED


def test_keys_of_minisign() -> None:
    assert read_public_key(MINISIGN_KEY).id == "1E385212E6B0A14F"
    for broken in ("", "RWQ", MINISIGN_KEY[:-4], "QQ" + MINISIGN_KEY[2:], MINISIGN_KEY + "!"):
        with pytest.raises(ValueError):
            read_public_key(broken)


def test_a_file_of_keys() -> None:
    assert read_keys("") == ()
    text = f'[[key]]\npublic = "{MINISIGN_KEY}"\nnot_after = 2030-12-31\n\n[[key]]\npublic = "{SECRET.public_line}"\n'
    first, second = read_keys(text)
    assert first.not_after == date(2030, 12, 31) and second == KEYS[1]
    with pytest.raises(ValueError):
        read_keys(f'[[key]]\npublic = "{MINISIGN_KEY}"\nnot_after = "soon"\n')


def test_the_keys_of_this_build_can_be_read() -> None:
    assert len({key.id for key in shipped_keys()}) == len(shipped_keys())


def test_a_secret_key_needs_its_password() -> None:
    text = sign_index().encrypted(SECRET, "密码", memory_bytes=1024 * 1024)
    assert sign_index().decrypted(text, lambda: "密码") == SECRET
    for wrong in (lambda: "", lambda: "码密"):
        with pytest.raises(sign_index().KeyRefused):
            sign_index().decrypted(text, wrong)
    with pytest.raises(sign_index().KeyRefused):
        sign_index().decrypted("nothing", lambda: "")
    assert len(key_id(SECRET.number)) == 16


@pytest.mark.parametrize("name", ["qwen3.json", "qwen2.5.json", "qwen-vl.json", "index.json.minisig", "a.b"])
def test_plain_names(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x.json", "a/../b.json", "a/b.json", "a\\b.json", "/etc/x.json", "C:x.json", "c:\\x.json"),
        *("//host/x.json", "\\\\host\\x.json", "x.json:ads", "con", "con.json", "nul.json", "com1.x.json", "lpt9.json"),
        *(
            ".hidden.json",
            "-x.json",
            "x..json",
            "x.json.",
            "x.json ",
            " x.json",
            "X.json",
            "x.js\0on",
            "x%2e.json",
            "x.json\n",
        ),
        *("ｘ.json", "x\u202e.json", "a" * 80 + ".json", "~x.json", "x"),
    ],
)
def test_other_names(name: str) -> None:
    assert not is_plain_name(name)
