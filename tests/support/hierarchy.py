"""A hierarchy of certificates for tests: root, four authorities, their keys in a module."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tallystick.infrastructure.crypto.certify import pem_of, public_of_signer
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.pki.issuing import Authority, Places, found_root
from tallystick.infrastructure.pki.profiles import AUTHORITIES, ROOT, profile
from tallystick.infrastructure.pki.register import Register
from tallystick.infrastructure.pki.responder import Delegate, Responder
from tallystick.infrastructure.pki.validation import Trust
from tallystick.kernel.time import Instant, SimulatedClock

__all__ = ["Hierarchy", "certificate_request", "write_pem"]

NOW = Instant(int(dt.datetime.now(dt.UTC).timestamp()) * 1000)


class Hierarchy:
    """Everything below a fresh root, made now, in `folder`."""

    def __init__(self, folder: Path, *, permitted: tuple[str, ...] = (), now: Instant = NOW):
        self.now = now
        self.folder = folder
        self.clock = SimulatedClock(now)
        self.module = SoftModule(
            MasterKey(bytes(range(32))).roots(tuple(Purpose)), self.clock, entropy=operating_system
        )
        self.register = Register(folder / "register.log")
        root_signer = self.signer(Purpose.CERTIFICATE_ROOT)
        draw = self.module.random
        found_root(self.register, "Example Provider", root_signer, draw, now)
        places = Places("http://127.0.0.1:8480")
        self.root = Authority(ROOT, self.register, root_signer, draw, places)
        self.authorities: dict[str, Authority] = {ROOT: self.root}
        self.delegates: dict[str, Delegate] = {}
        for name in AUTHORITIES:
            signer = self.signer(Purpose.CERTIFICATE_ISSUER)
            limits = permitted if name == "servers" else ()
            self.root.found(name, public_of_signer(signer), now, limits)
            self.authorities[name] = Authority(name, self.register, signer, draw, places)
        for name, authority in self.authorities.items():
            signer = self.signer(Purpose.OCSP_RESPONDER)
            certificate = authority.certify(profile("ocsp"), (f"answers for {name}",), signer, now)
            self.delegates[name] = Delegate(certificate, signer)

    def signer(self, purpose: Purpose) -> ModuleSigner:
        return ModuleSigner(self.module, self.module.generate(purpose))

    def responder(self) -> Responder:
        return Responder(self.register, self.delegates)

    def trust(self, *authorities: str) -> Trust:
        named = authorities or AUTHORITIES
        return Trust(
            (self.root.certificate,),
            tuple(self.authorities[name].certificate for name in named),
        )

    def issue(self, under: str, *names: str, authority: str = "", life_ms: int = 0) -> Certificate:
        found = profile(under)
        issuer = self.authorities[authority or found.authority]
        return issuer.issue(found, names, certificate_request()[0], self.now, life_ms)

    def lists(self, at: Instant | None = None) -> tuple[bytes, ...]:
        return tuple(one.list_whole(at or self.now) for one in self.authorities.values())


def certificate_request(
    make: Callable[[], object] = lambda: ec.generate_private_key(ec.SECP256R1()),
) -> tuple[bytes, bytes]:
    """A request (DER) by a fresh key, and that key in PEM."""
    private = make()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever the applicant likes")])
    built = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = built.sign(private, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER), private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_pem(file: Path, *certificates: Certificate) -> Path:
    """The certificates in a file."""
    file.write_text("".join(pem_of(one.octets) for one in certificates))
    return file
