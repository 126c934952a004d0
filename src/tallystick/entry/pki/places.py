"""Where certificates and time are in a provider's folder.

    FOLDER/pki/register.log                  every certificate, revocation and list
    FOLDER/pki/keys/NAME.block               the keys of the authorities, wrapped; not on line
    FOLDER/pki/lists/NAME.crl, NAME.delta.crl  the newest lists
    FOLDER/pki/certificates.json             where they are published, and the practice of stamps
    FOLDER/pki/stamps/SIZE.json              checkpoints of the log with their time stamps
    FOLDER/offline/certificate-root.block    the key of the root: to be moved away from the server
    FOLDER/keys/ocsp-NAME.block, time-stamp.block  what the service needs

Source: ISO/TS 12812-2:2017, 7.4.2
"""

from pathlib import Path

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.pki.register import Register
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.model import Record


class CertificateSettings(Record, frozen=True, kw_only=True):
    """Where lists and answers are found from outside (`url`), and how time is stamped.

    `policy` is the object identifier of the stamping policy, empty for no authority of our own.
    `clock` is `kernel` or `declared`: then an operator answers for the clock. `authority_url` names
    another's authority, whose roots are in `authority_roots` (a file in PEM): checkpoints are then
    stamped there, and not by the provider's own.
    Source: ISO/TS 12812-2:2017, 3.23; RFC 3161
    """

    v: int = 1
    url: str = ""
    policy: str = ""
    accuracy_ms: int = 1000
    ordered: bool = True
    clock: str = "kernel"
    authority_url: str = ""
    authority_roots: str = ""


_SETTINGS: Decoder[CertificateSettings] = Decoder(CertificateSettings)


class CertificateFolder:
    """The places of certificates in one provider's folder.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(self, provider: ProviderFolder) -> None:
        self.provider = provider
        self.root = provider.root / "pki"

    @property
    def register_file(self) -> Path:
        """Where the register is.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.root / "register.log"

    @property
    def stamps(self) -> Path:
        """Where stamped checkpoints are.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return self.root / "stamps"

    @property
    def root_block(self) -> Path:
        """Where set-up leaves the key of the root.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.provider.offline / "certificate-root.block"

    def exists(self) -> bool:
        """Whether there are certificates here at all.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.register_file.exists()

    def register(self) -> Register:
        """The register.

        Raises NotFound where no root was made.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if not self.exists():
            raise NotFound(
                f"{self.provider.root} has no certificates yet",
                remedy=f"make a root: tallystick pki root {self.provider.root}",
            )
        return Register(self.register_file)

    def settings(self) -> CertificateSettings:
        """How certificates and stamps are published; defaults where nothing was said.

        Raises Malformed.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        try:
            octets = (self.root / "certificates.json").read_bytes()
        except FileNotFoundError:
            return CertificateSettings()
        found = _SETTINGS.decode(octets)
        if found.clock not in {"kernel", "declared"} or found.accuracy_ms < 1:
            raise Malformed("certificates.json: clock is kernel or declared, accuracy 1 ms or more")
        return found

    def save_settings(self, settings: CertificateSettings) -> None:
        """Keep how certificates and stamps are published.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.root.mkdir(mode=0o700, exist_ok=True)
        replace_file(self.root / "certificates.json", encode_canonical(settings))

    def issuer_block(self, name: str) -> Path:
        """Where the wrapped key of the authority `name` is.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.root / "keys" / f"{name}.block"

    def list_file(self, name: str, *, delta: bool = False) -> Path:
        """Where the newest list of the authority `name` is.

        Source: RFC 5280, 5
        """
        return self.root / "lists" / f"{name}.{'delta.' if delta else ''}crl"

    def keep(self, file: Path, octets: bytes) -> None:
        """Put `octets` into `file`, whole and durably; its folder is made if need be.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(file, octets)
