"""For publishers: makes keys, builds the index of a catalogue, signs documents.

    python packaging/sign_index.py key FOLDER               a new key: liangli.key (secret) and liangli.pub
    python packaging/sign_index.py build FOLDER --serial N   index.json and its files, out of resources/families
    python packaging/sign_index.py sign index.json --key liangli.key

`sign` writes index.json.minisig beside the document; the whole folder is then put behind one https address, that of
index.json. Files are in minisign's format, so `minisign -V -p liangli.pub -m index.json` checks the same, and
`minisign -S` may sign in the place of this program.

How a key is kept. The secret key is encrypted with a password (scrypt) and readable by its owner only. It belongs on a
computer, better on a disk, that is offline except for signing, with one copy elsewhere; never in the repository and
never in a build service. The second line of liangli.pub goes into resources/signing_keys.toml. A key is changed by
shipping the new one beside the old one first, signing with the new one once most copies have it, and then leaving the
old one out; a key that got lost or stolen is left out of the next release at once: copies of that release drop
whatever it signed.
"""

from __future__ import annotations

import argparse
import base64
import getpass
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).parent.parent))

import resources
from models_catalog.families.loader import FOLDER, document
from models_catalog.families.update_index import ENDING, FORMAT, SCHEMA, SHARED_FILE, VERSION, SharedTables
from models_catalog.signed.keys import key_id
from models_catalog.signed.signature import PREHASHED, TRUSTED, UNTRUSTED, digest
from models_catalog.signed.signed_index import SIGNATURE_ENDING

# minisign's file of a secret key: algorithm, how it is encrypted, how it is checked, salt, two limits, the encrypted
# rest. The rest: number of the key, secret and public half, checksum.
_HEAD = b"EdScB2"
_SALT_BYTES = 32
_REST_BYTES = 8 + 64 + 32
# 128 MiB and about half a second; minisign itself takes 1 GiB, and reads both.
_MEMORY_BYTES = 128 * 1024 * 1024


class KeyRefused(Exception):
    """Not a secret key, or a wrong password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretKey:
    """number: the 8 bytes by which minisign names the key. secret: the seed and the public half, 64 bytes."""

    number: bytes
    secret: bytes

    @property
    def public_line(self) -> str:
        """ "RW…", as in resources/signing_keys.toml."""
        return base64.b64encode(b"Ed" + self.number + self.secret[32:]).decode()


def new_key() -> SecretKey:
    """A key of this computer's best randomness."""
    key = SigningKey.generate()
    return SecretKey(number=os.urandom(8), secret=bytes(key) + bytes(key.verify_key))


def encrypted(key: SecretKey, password: str, memory_bytes: int = _MEMORY_BYTES) -> str:
    """The text of the secret key's file."""
    salt = os.urandom(_SALT_BYTES)
    rest = key.number + key.secret + _checksum(key)
    hidden = _xor(rest, _stream(password, salt, memory_bytes))
    limits = (memory_bytes // 32).to_bytes(8, "little") + memory_bytes.to_bytes(8, "little")
    return f"{UNTRUSTED}minisign encrypted secret key\n{base64.b64encode(_HEAD + salt + limits + hidden).decode()}\n"


def decrypted(text: str, ask_password: Callable[[], str]) -> SecretKey:
    """The key in a file of this program or of minisign. Raises KeyRefused."""
    try:
        whole = base64.b64decode(text.splitlines()[1], validate=True)
    except (ValueError, IndexError) as error:
        raise KeyRefused("not a secret key") from error
    if len(whole) != len(_HEAD) + _SALT_BYTES + 16 + _REST_BYTES or not whole.startswith(_HEAD):
        raise KeyRefused("not an encrypted secret key")
    salt, limits, hidden = whole[6:38], whole[38:54], whole[54:]
    rest = _xor(hidden, _stream(ask_password(), salt, int.from_bytes(limits[8:], "little")))
    key = SecretKey(number=rest[:8], secret=rest[8:72])
    if _checksum(key) != rest[72:]:
        raise KeyRefused("wrong password")
    return key


def _checksum(key: SecretKey) -> bytes:
    return hashlib.blake2b(b"Ed" + key.number + key.secret, digest_size=32).digest()


def _stream(password: str, salt: bytes, memory_bytes: int) -> bytes:
    # libsodium's choice for these limits: N takes the memory, r = 8, p = 1.
    n = memory_bytes // (128 * 8)
    return hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=8, p=1, maxmem=memory_bytes + 64 * 1024 * 1024, dklen=_REST_BYTES
    )


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def signature_of(body: bytes, key: SecretKey, comment: str) -> str:
    """The text of the document's signature file. comment: signed too, one line."""
    signer = SigningKey(key.secret[:32])
    signature = signer.sign(digest(body)).signature
    whole = signer.sign(signature + comment.encode()).signature
    first = base64.b64encode(PREHASHED + key.number + signature).decode()
    return f"{UNTRUSTED}signed by Liangli\n{first}\n{TRUSTED}{comment}\n{base64.b64encode(whole).decode()}\n"


def catalogue_files(
    serial: int, day: str, least_engines: Mapping[str, str], families: Sequence[str] = ()
) -> dict[str, bytes]:
    """index.json and the files beside it, of the catalogue in this tree. least_engines: by family, the oldest version
    of llama-cpp-python that can run it. families: ids of those to publish; all without any."""
    whole = document(resources.path(FOLDER), resources.path("licences.toml"), resources.path("chat_profiles.toml"))
    shared = SharedTables(licences=whole.licences, profiles=whole.profiles)
    files = {SHARED_FILE: msgspec.json.encode(shared, order="sorted")}
    for family in whole.families:
        if not families or family.id in families:
            files[family.id + ENDING] = msgspec.json.encode(family, order="sorted")
    index = {
        "format": FORMAT,
        "version": VERSION,
        "serial": serial,
        "date": day,
        "files": [
            {
                "name": name,
                "sha256": hashlib.sha256(body).hexdigest(),
                "size_bytes": len(body),
                "schema": SCHEMA,
                "min_engine": least_engines.get(name.removesuffix(ENDING), ""),
            }
            for name, body in files.items()
        ],
    }
    return {"index.json": json.dumps(index, indent=1).encode() + b"\n", **files}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("key")
    making.add_argument("folder", type=Path)
    building = commands.add_parser("build")
    building.add_argument("folder", type=Path)
    building.add_argument("--serial", type=int, required=True)
    building.add_argument("--date", default=date.today().isoformat())
    building.add_argument("--needs", action="append", default=[], metavar="FAMILY=0.3.40")
    signing = commands.add_parser("sign")
    signing.add_argument("document", type=Path)
    signing.add_argument("--key", type=Path, required=True)
    args = parser.parse_args(arguments)
    match args.command:
        case "key":
            _make_key(args.folder)
        case "build":
            args.folder.mkdir(parents=True, exist_ok=True)
            needs = dict(one.split("=", 1) for one in args.needs)
            for name, body in catalogue_files(args.serial, args.date, needs).items():
                (args.folder / name).write_bytes(body)
        case _:
            _sign(args.document, args.key)
    return 0


def _make_key(folder: Path) -> None:
    password = getpass.getpass("Password of the new key: ")
    if not password or password != getpass.getpass("Once more: "):
        raise SystemExit("The passwords are empty or not the same.")
    key = new_key()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "liangli.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(encrypted(key, password))
    public = f"{UNTRUSTED}minisign public key {key_id(key.number)}\n{key.public_line}\n"
    (folder / "liangli.pub").write_text(public, encoding="utf-8")
    print(key.public_line)


def _sign(path: Path, key_file: Path) -> None:
    try:
        key = decrypted(key_file.read_text(encoding="utf-8"), lambda: getpass.getpass("Password of the key: "))
    except KeyRefused as refused:
        raise SystemExit(str(refused)) from refused
    comment = f"timestamp:{int(time.time())}\tfile:{path.name}\thashed"
    signature = signature_of(path.read_bytes(), key, comment)
    path.with_name(path.name + SIGNATURE_ENDING).write_text(signature, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
