"""Root, authorities, certificates, revocations and lists: made with the secret at hand.

The keys of root and authorities are opened for one act and forgotten after it. The service never
has them: it has the keys of responders and of the time-stamping authority, and the lists.

Source: ISO/TS 12812-2:2017, 3.5; 7.4.2; ISO 21188
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from tallystick.entry.module_settings import open_module
from tallystick.entry.pki.places import CertificateFolder
from tallystick.infrastructure.crypto.certify import public_of_signer
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.interface import CryptoModule, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.pki.issuing import Authority, Places, found_root
from tallystick.infrastructure.pki.profiles import AUTHORITIES, ROOT, profile
from tallystick.infrastructure.pki.register import Issued, Register
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.time import DAY_MS, HOUR_MS, Clock, Instant

_HERE = (
    Purpose.CERTIFICATE_ROOT,
    Purpose.CERTIFICATE_ISSUER,
    Purpose.OCSP_RESPONDER,
    Purpose.TIME_STAMP,
)
LIST_LIFE_MS = 7 * DAY_MS
DELTA_LIFE_MS = HOUR_MS


class Making:
    """What can be done with certificates while the provider's module is open.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(
        self, folder: CertificateFolder, module: CryptoModule, clock: Clock, root_block: Path
    ) -> None:
        self._folder = folder
        self._module = module
        self._clock = clock
        self._root_block = root_block
        self._register = Register(folder.register_file)
        self._places = Places(folder.settings().url.rstrip("/"))

    def hierarchy(self, organisation: str, permitted: Iterable[str]) -> Certificate:
        """A root, the authorities below it, their responders and first lists.

        Raises Conflict where there is a root already.
        Source: RFC 5280, 3.2
        """
        if ROOT in self._register.authorities():
            raise Conflict("there is a root already", remedy="see tallystick pki list")
        now = self._clock.now()
        signer = self._made(Purpose.CERTIFICATE_ROOT, self._root_block)
        certificate = found_root(self._register, organisation, signer, self._module.random, now)
        root = Authority(ROOT, self._register, signer, self._module.random, self._places)
        for name in AUTHORITIES:
            own = self._made(Purpose.CERTIFICATE_ISSUER, self._folder.issuer_block(name))
            limits = permitted if name == "servers" else ()
            root.found(name, public_of_signer(own), now, limits)
        for name in (ROOT, *AUTHORITIES):
            self.responder(name)
            self.sign_list(name)
        return certificate

    def authority(self, name: str) -> Authority:
        """The authority `name`, ready to issue; raises NotFound where its key is not at hand.

        Source: RFC 5280, 3.2
        """
        block = self._root_block if name == ROOT else self._folder.issuer_block(name)
        try:
            handle = self._module.import_block(block.read_bytes())
        except FileNotFoundError:
            raise NotFound(
                f"the key of the authority {name[:40]} is not at {block}",
                remedy="bring it: for the root, --root-block FILE",
            ) from None
        signer = ModuleSigner(self._module, handle)
        return Authority(name, self._register, signer, self._module.random, self._places)

    def issue(
        self, under: str, names: tuple[str, ...], request: bytes, life_ms: int = 0
    ) -> Certificate:
        """A certificate of the profile `under` for `names`.

        Source: RFC 5280, 4
        """
        found = profile(under)
        now = self._clock.now()
        return self.authority(found.authority).issue(found, names, request, now, life_ms)

    def renew(self, serial: int, request: bytes) -> Certificate:
        """The successor of the certificate with the number `serial`.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self._of(serial).renew(serial, request, self._clock.now())

    def revoke(self, serial: int, reason: str) -> Issued:
        """Revoke a certificate, and sign the list of its authority anew: both count at once.

        Source: RFC 5280, 5
        """
        authority = self._of(serial)
        authority.revoke(serial, reason, self._clock.now())
        self.sign_list(authority.name)
        return self._found(serial)

    def sign_list(self, name: str, *, delta: bool = False) -> Path:
        """Sign and keep the list of the authority `name`; gives the file.

        Source: RFC 5280, 5
        """
        authority, now = self.authority(name), self._clock.now()
        octets = (
            authority.list_delta(now, DELTA_LIFE_MS)
            if delta
            else authority.list_whole(now, LIST_LIFE_MS)
        )
        file = self._folder.list_file(name, delta=delta)
        self._folder.keep(file, octets)
        return file

    def responder(self, name: str) -> Certificate:
        """A new key and certificate of the responder under the authority `name`.

        Source: RFC 6960, 4.2.2.2
        """
        file = self._folder.provider.root / "keys" / f"ocsp-{name}.block"
        words = f"responder {name}"
        return self._certified(name, "ocsp", words, Purpose.OCSP_RESPONDER, file)

    def stamping(self) -> Certificate:
        """A new key and certificate of the time-stamping authority.

        Source: RFC 3161, 2.3
        """
        file = self._folder.provider.root / "keys" / f"{Purpose.TIME_STAMP.value}.block"
        return self._certified("services", "tsa", "time stamps", Purpose.TIME_STAMP, file)

    def _certified(
        self, name: str, under: str, words: str, purpose: Purpose, file: Path
    ) -> Certificate:
        """A certificate over a new key; the key before goes when this one is ready."""
        authority, handle = self.authority(name), self._module.generate(purpose)
        signer = ModuleSigner(self._module, handle)
        made = authority.certify(profile(under), (words,), signer, self._clock.now())
        self._folder.keep(file, self._module.export_block(handle))
        return made

    def _made(self, purpose: Purpose, file: Path) -> ModuleSigner:
        handle = self._module.generate(purpose)
        self._folder.keep(file, self._module.export_block(handle))
        return ModuleSigner(self._module, handle)

    def _of(self, serial: int) -> Authority:
        return self.authority(self._found(serial).authority)

    def _found(self, serial: int) -> Issued:
        for one in self._register.certificates():
            if one.serial == serial:
                return one
        raise NotFound("no certificate has this number", remedy="tallystick pki list")


@contextmanager
def making(
    folder: CertificateFolder, opener: Opener, clock: Clock, root_block: Path | None = None
) -> Generator[Making]:
    """Open the module for acts on certificates, and forget all keys afterwards.

    Raises NotFound, NotAuthentic.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    settings = folder.provider.settings()
    roots = folder.provider.master(opener).roots(_HERE)
    module = open_module(folder.provider.root, roots, clock, profile=settings.profile)
    try:
        yield Making(folder, module, clock, root_block or folder.root_block)
    finally:
        module.zeroise()


def expiring(register: Register, now: Instant, ahead_ms: int) -> list[tuple[Issued, Instant]]:
    """Certificates that are in force and end within `ahead_ms`, with the instant of their end.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    found: list[tuple[Issued, Instant]] = []
    for one in register.certificates():
        ends = read_certificate(one.octets).ends
        if not one.revoked_at and now < ends < now + ahead_ms:
            found.append((one, ends))
    return found
