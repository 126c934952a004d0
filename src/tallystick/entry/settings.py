"""What is fixed when a provider is set up, and where its files are.

    FOLDER/provider.json         names, currency, tariff, public halves of root and officers
    FOLDER/master.sealed         the master key, opened at start by passphrase, shares or secret
    FOLDER/keys/*.block          the service's keys, wrapped by purpose
    FOLDER/keylist.jws           the signed list of public keys
    FOLDER/keylist.dual.jws      the same with two signatures, once the root has two halves
    FOLDER/registers/*.yaml      the registers of the management of security, one each
    FOLDER/policy.json           the first policy, signed by officers
    FOLDER/policy.mended.json    the policy in force without acts that are gone, signed by officers
    FOLDER/mfs.yaml              the programme: what is run, for whom, and what is feared
    FOLDER/decisions.json        decisions about it, signed by officers, if there are any
    FOLDER/risk.json             what the analysis of its risks came to, with the chosen controls
    FOLDER/policy.derived.yaml   the policy that follows from both, for officers to sign
    FOLDER/authzen.yaml          what partners who ask the policy call its facts, if they differ
    FOLDER/mno.json              how a mobile network is asked about SIMs, if one is
    FOLDER/vendors.json          where lists of vendors are fetched from, if any is
    FOLDER/tallystick.db         the store, if it is embedded
    FOLDER/store.json            where it is, if it is a PostgreSQL server
    FOLDER/sims/*.json           SIMs that were made and wait for the next start of the service
    FOLDER/offline/              root and officers' keys: to be moved away from the server

Source: ISO/TS 12812-2:2017, 6.1; 7.4.2
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.application.notices import SenderRule
from tallystick.entry.keyfiles import KeyFiles
from tallystick.entry.partner_settings import (
    MnoAccess,
    Partner,
    PartnerLink,
    SealedVerdictKeys,
    SmppBind,
)
from tallystick.infrastructure.crypto.dual import DUALS
from tallystick.infrastructure.crypto.signature import VerifyKey, verify_key
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.opening import Opener, open_master
from tallystick.infrastructure.store.address import Address, parse_address
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.store.opening import Place
from tallystick.kernel.codec import Decoder, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.model import Record
from tallystick.process.policy.asked import Names, read_names
from tallystick.protocol.channels import Language


class PublicHalf(Record, frozen=True, kw_only=True):
    """A public key: `ES256` or `EdDSA`, alone or with `-ML-DSA-65`, base64url.

    Source: ISO/TS 12812-2:2017, 3.5
    """

    algorithm: str
    public: str

    def verify_key(self) -> VerifyKey:
        """The key that verifies.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        return verify_key(self.algorithm, b64url_decode(self.public))


class InvitationHash(Record, frozen=True, kw_only=True):
    """A role and the hash of the one-time code that set-up printed for it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    role: str
    code_hash: str


class ProviderSettings(Record, frozen=True, kw_only=True):
    """What is fixed at set-up; `profile` is demo or production.

    `country` is a calling
    code without plus. `fees_flat_minor` and `fees_basis_points` are by payment kind. `gateways` are
    the keys of USSD gateways by name, `sms_url` is where notices are posted, `core_url`
    the core system whose book counts, empty where the embedded ledger does. `tightening` are the
    public halves of the keys that signed and sign tightenings, the newest last. `language` is that
    of customers who chose none, `senders` the names that messages may go out under, `aggregators`
    and `sms_receipts` the partners whose callbacks are taken, `sim_changes` the one who tells of
    replaced SIMs, `smpp` the networks that the service binds to, `verdict_keys` those of
    its apps for verdicts of an app store.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    v: int
    provider: str
    origin: str
    currency: str
    country: str
    profile: str
    root: PublicHalf
    officers: dict[str, PublicHalf]
    invitations: tuple[InvitationHash, ...]
    fees_flat_minor: dict[str, int]
    fees_basis_points: dict[str, int]
    gateways: dict[str, PublicHalf]
    sms_url: str
    core_url: str
    pin_memory_kib: int
    pin_passes: int
    tightening: tuple[PublicHalf, ...] = ()
    language: Language = Language.ENGLISH
    senders: tuple[SenderRule, ...] = ()
    aggregators: tuple[PartnerLink, ...] = ()
    sms_receipts: PartnerLink | None = None
    partners: tuple[Partner, ...] = ()
    sim_changes: PartnerLink | None = None
    smpp: tuple[SmppBind, ...] = ()
    verdict_keys: tuple[SealedVerdictKeys, ...] = ()


class StoreAddress(Record, frozen=True, kw_only=True):
    """Where the store is, if it is not embedded.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    v: int
    address: str


@dataclass(frozen=True, slots=True)
class ProviderFolder(KeyFiles):
    """The files of one provider.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    @property
    def settings_file(self) -> Path:
        """Where the settings are.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.root / "provider.json"

    @property
    def master_file(self) -> Path:
        """Where the sealed master key is.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.root / "master.sealed"

    @property
    def key_list_file(self) -> Path:
        """Where the key list is that the root of the settings signed, whole.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        dual = self.settings_file.exists() and self.settings().root.algorithm in DUALS
        return self.dual_list_file if dual else self.classical_list_file

    @property
    def classical_list_file(self) -> Path:
        """Where the key list with one signature is, for clients that know no other.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.root / "keylist.jws"

    @property
    def dual_list_file(self) -> Path:
        """Where the key list with two signatures is, once the root has two halves.

        Source: ISO/TS 12812-2:2017, 7.4.2; FIPS 204
        """
        return self.root / "keylist.dual.jws"

    @property
    def policy_file(self) -> Path:
        """Where the first signed policy is.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.root / "policy.json"

    def names(self) -> Names:
        """What partners who ask the policy call its facts; nothing where the file is not there.

        Raises Malformed with the position of every defect.
        Source: AuthZEN Authorization API 1.0, 5
        """
        file = self.root / "authzen.yaml"
        return read_names(file.read_text(encoding="utf-8")) if file.exists() else ()

    @property
    def programme_file(self) -> Path:
        """Where the programme is.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.root / "mfs.yaml"

    @property
    def registers(self) -> Path:
        """Where the registers are, if any is kept.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return self.root / "registers"

    @property
    def decisions_file(self) -> Path:
        """Where the signed decisions about the programme are, if there are any.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.root / "decisions.json"

    @property
    def risk_file(self) -> Path:
        """Where the result of the risk analysis is, once it ran.

        Source: ISO/TS 12812-2:2017, A
        """
        return self.root / "risk.json"

    @property
    def derived_file(self) -> Path:
        """Where the policy that follows from the programme is, once it was derived.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.root / "policy.derived.yaml"

    @property
    def database_file(self) -> Path:
        """Where the store is, if it is embedded.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.root / "tallystick.db"

    @property
    def backup_note(self) -> Path:
        """Where a backup says what it has; no provider that is served has it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.root / "backup.json"

    @property
    def store_file(self) -> Path:
        """Where the address of the server is, if the store is on one.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.root / "store.json"

    def place(self) -> Place:
        """Where the store is.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        try:
            octets = self.store_file.read_bytes()
        except FileNotFoundError:
            return self.database_file
        return parse_address(_stores.decode(octets).address)

    @property
    def mno_file(self) -> Path:
        """Where the access to a mobile network is, if there is one.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self.root / "mno.json"

    def mno(self) -> MnoAccess | None:
        """How the mobile network is asked, as its file says now; None where there is none.

        Raises Malformed for a file of another form, NotPermitted for http beyond loopback.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        try:
            found = _networks.decode(self.mno_file.read_bytes())
        except FileNotFoundError:
            return None
        parts = urlsplit(found.url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise NotPermitted("a mobile network is asked over https only")
        return found

    def save_place(self, place: Place) -> None:
        """Keep where the store is from now on.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if isinstance(place, Address):
            replace_file(self.store_file, encode_canonical(StoreAddress(v=1, address=place.url)))
        else:
            self.store_file.unlink(missing_ok=True)

    def stored(self) -> Place:
        """The store of a provider that was served before.

        Raises NotFound where nothing was set up, or nothing was served yet.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self.settings()
        place = self.place()
        if isinstance(place, Path) and not place.exists():
            raise NotFound(
                f"{self.root} has no record yet", remedy="serve it once: tallystick serve FOLDER"
            )
        return place

    @property
    def offline(self) -> Path:
        """Where set-up leaves what does not belong on the server.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.root / "offline"

    def settings(self) -> ProviderSettings:
        """The settings.

        Raises NotFound where nothing was set up.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        try:
            octets = self.settings_file.read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"{self.root} is not a provider's folder",
                remedy="set one up: tallystick init FOLDER",
            ) from None
        return _settings.decode(octets)

    def save_settings(self, settings: ProviderSettings) -> None:
        """Write the settings.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        replace_file(self.settings_file, encode_canonical(settings))

    def master(self, opener: Opener) -> MasterKey:
        """The master key, opened with what was brought.

        Raises what `open_master` raises.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        profile = self.settings().profile
        return open_master(self.master_file.read_bytes(), opener, profile=profile)

    def save_master(self, sealed: bytes) -> None:
        """Keep the sealed master key in place of the one before.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        replace_file(self.master_file, sealed)

    def save_quote_blocks(self, blocks: Sequence[bytes]) -> None:
        """Keep the quote keys, newest first, in place of those before.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for name, block in reversed(list(zip((_QUOTE, f"{_QUOTE}-before"), blocks, strict=True))):
            self.save_block(name, block)


_QUOTE = "quote"


_settings = Decoder(ProviderSettings, file="provider.json")
_stores = Decoder(StoreAddress, file="store.json")
_networks = Decoder(MnoAccess, file="mno.json")
