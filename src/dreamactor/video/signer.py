"""Who signs: a certificate of the user's own, or one that is made on this machine when it is first needed.

No key comes with the package. What is made here says that a file has not changed since it was made, and not who made it:
nobody vouches for it. A certificate from a C2PA certificate authority makes the signer trusted elsewhere too; name its
files in DREAMACTOR_CERTIFICATE (PEM, the whole chain, the signer first) and DREAMACTOR_PRIVATE_KEY (PEM).
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dreamactor.errors import ConfigError

if TYPE_CHECKING:
    import c2pa
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CERTIFICATE_VARIABLE, KEY_VARIABLE = "DREAMACTOR_CERTIFICATE", "DREAMACTOR_PRIVATE_KEY"
_FILE: Final = "signer.pem"
_VALID_DAYS: Final = 3650
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----\n?", re.DOTALL)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningIdentity:
    """A private key and its certificates.

    Attributes:
        algorithm: in C2PA's words, such as "es256".
        chain_pem: certificates, the signer's first.
        key_pem: the private key.
        root_pem: the root that was made along with it on this machine; "" for a certificate of the user's own.
    """

    algorithm: str
    chain_pem: str
    key_pem: str = field(repr=False)
    root_pem: str

    def to_c2pa(self) -> c2pa.Signer:
        """A signer for one file."""
        import c2pa

        info = c2pa.C2paSignerInfo(self.algorithm, self.chain_pem.encode(), self.key_pem.encode(), None)
        return c2pa.Signer.from_info(info)


def config_folder() -> Path:
    """Where a user's own things are kept: `$DREAMACTOR_CONFIG`, else `~/.config/dreamactor`; it need not exist."""
    chosen = os.environ.get("DREAMACTOR_CONFIG")
    return Path(chosen).expanduser() if chosen else Path.home() / ".config" / "dreamactor"


def own_signer() -> SigningIdentity:
    """The user's certificate where one is named, else the one of this machine.

    Raises:
        ConfigError: the files named cannot be used.
    """
    certificate, key = os.environ.get(CERTIFICATE_VARIABLE), os.environ.get(KEY_VARIABLE)
    if (certificate is None) != (key is None):
        raise ConfigError(f"Only one of {CERTIFICATE_VARIABLE} and {KEY_VARIABLE} is set. Set both, or neither.")
    if certificate is None or key is None:
        return _of_this_machine(config_folder())
    chain, secret = (_read(Path(name).expanduser()) for name in (certificate, key))
    if not _CERTIFICATE.search(chain) or not _KEY.search(secret):
        raise ConfigError(f"{CERTIFICATE_VARIABLE} and {KEY_VARIABLE} must name PEM files with a certificate and its key.")
    algorithm, pem = _usable_key(secret)
    return SigningIdentity(algorithm=algorithm, chain_pem=chain, key_pem=pem, root_pem="")


@cache
def _of_this_machine(folder: Path) -> SigningIdentity:
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            _store_once(path, _make())
        text = path.read_text()
    except OSError as error:
        _log.warning("Signing with a certificate for this run alone: %s cannot be kept (%s).", path, error.strerror)
        text = _make()
    certificates = _CERTIFICATE.findall(text)
    key = _KEY.search(text)
    if len(certificates) != 2 or key is None:
        raise ConfigError(f"{path} is damaged. Delete it; a new certificate is made when it is needed.")
    return SigningIdentity(algorithm="es256", chain_pem="".join(certificates), key_pem=key.group(), root_pem=certificates[1])


def _store_once(path: Path, text: str) -> None:
    """Writes a file that only its owner can read; of several processes that try at once, one wins and all read its file."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        Path(name).unlink()


def _make() -> str:
    """A new signer's key, its certificate and its root, as PEM. The root's key is forgotten at once."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = "dreamactor, root of this machine", "dreamactor, on this machine"
    root = _certificate(root_name, root_name, root_key, root_key, is_root=True).sign(root_key, SHA256())
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])  # one of those that C2PA's profile asks for
    leaf = _certificate(name, root_name, key, root_key, is_root=False).add_extension(purpose, critical=False)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = leaf.sign(root_key, SHA256())
    return b"".join((secret, signed.public_bytes(Encoding.PEM), root.public_bytes(Encoding.PEM))).decode()


def _certificate(
    name: str, issuer: str, key: EllipticCurvePrivateKey, issuer_key: EllipticCurvePrivateKey, *, is_root: bool
) -> x509.CertificateBuilder:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    def named(text: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "dreamactor")]
        )

    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )


def _usable_key(text: str) -> tuple[str, str]:
    """C2PA's name of the signature that goes with a PEM key, and the key as PKCS#8."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

    found = _KEY.search(text)
    assert found is not None
    try:
        key = load_pem_private_key(found.group().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"The key of {KEY_VARIABLE} cannot be read: {error}. Give a PEM key without a password."
        ) from error
    match key:
        case ec.EllipticCurvePrivateKey() if key.key_size in (256, 384, 521):
            algorithm = {256: "es256", 384: "es384", 521: "es512"}[key.key_size]
        case rsa.RSAPrivateKey():
            algorithm = "ps256"
        case ed25519.Ed25519PrivateKey():
            algorithm = "ed25519"
        case _:
            raise ConfigError(f"C2PA does not use keys like that of {KEY_VARIABLE}. Give an EC, RSA or Ed25519 key.")
    return algorithm, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read {path}: {error}. Check {CERTIFICATE_VARIABLE} and {KEY_VARIABLE}.") from error
