"""Set-up of a provider: keys, key list, first policy, invitations; no password, no default secret.

The root and, in profile demo, the officers' keys are left in `offline/` as sealed key files, to be
moved away from the server.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.4.2
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from tallystick.application.notices import SenderRule, default_sender
from tallystick.application.operators.service import code_hash
from tallystick.client.keyfile import KeyFile
from tallystick.entry.evidence import DOSSIER_FILE
from tallystick.entry.partner_settings import Partner, PartnerLink
from tallystick.entry.settings import InvitationHash, ProviderFolder, ProviderSettings, PublicHalf
from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Es256SigningKey,
    SigningKey,
)
from tallystick.infrastructure.keys.keylist import entry_of, issue_key_list
from tallystick.infrastructure.keys.table import KEY_TABLE, Role, purposes_of
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.address import Address, parse_address
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Conflict, MfsError, NotPermitted
from tallystick.kernel.money import currency_exponent
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, Clock, Instant
from tallystick.process.conformance.dossier import Dossier
from tallystick.process.policy import read_policy
from tallystick.process.policy.signing import sign_policy
from tallystick.process.programme.reading import read_programme
from tallystick.protocol.channels import Language

SERVER_ROLES = (Role.FRONT, Role.WRITER, Role.ENROLMENT)
_LISTED = (Purpose.SESSION_SIGNATURE, Purpose.DEVICE_CA, Purpose.TALLY)
_KEPT = (*_LISTED, Purpose.ACTIVATION, Purpose.ALIAS_INDEX, Purpose.PIN_PEPPER)
_KEPT_TOO = (
    Purpose.QUOTE,
    Purpose.RECEIPT_CODE,
    Purpose.STORE,
    Purpose.WEBHOOK,
    Purpose.TIGHTENING,
    Purpose.PARTNER_LINK,
    Purpose.OTP_TRANSPORT,
)
_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CURRENCY = re.compile(r"^  currency: [A-Z]{3}$", re.MULTILINE)
_PROVIDER = re.compile(r"^  provider: [a-z0-9-]+$", re.MULTILINE)
_ROLES = "operators:\n  roles:\n"
_SLUG = r"[a-z][a-z0-9-]{0,62}"
_LIST_LIFE_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be set up; `store` is the address of a server, empty for the embedded store.

    `programme_text` is the programme file, empty to write none. Without `senders` messages go out
    under the provider's name, to numbers of its own country only.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    provider: str
    currency: str
    country: str
    profile: str
    policy_text: str
    roles: tuple[str, ...]
    officers: tuple[str, ...] = ("officer-1", "officer-2")
    fees_flat_minor: Mapping[str, int] = field(default_factory=dict[str, int])
    fees_basis_points: Mapping[str, int] = field(default_factory=dict[str, int])
    gateways: Mapping[str, PublicHalf] = field(default_factory=dict[str, PublicHalf])
    sms_url: str = ""
    core_url: str = ""
    store: str = ""
    pin_memory_kib: int = 19_456
    pin_passes: int = 2
    programme_text: str = ""
    language: Language = Language.ENGLISH
    senders: tuple[SenderRule, ...] = ()
    aggregators: tuple[PartnerLink, ...] = ()
    sms_receipts: PartnerLink | None = None
    partners: tuple[Partner, ...] = ()


@dataclass(frozen=True, slots=True)
class Invited:
    """A role and its one-time code, to be printed once.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    role: str
    code: Secret[str]


@dataclass(frozen=True, slots=True)
class Done:
    """What set-up made: the root to pin and the codes to hand out.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    root: PublicHalf
    invited: tuple[Invited, ...]


def demo_policy(
    currency: str = "", provider: str = "", roles: Mapping[str, tuple[str, ...]] | None = None
) -> str:
    """The text of the demonstration policy that ships with the package.

    With `currency` its amounts are so many minor units of it: they are an example, not converted. A
    `provider` whose name is no slug leaves the one of the example. `roles` are added to its own,
    each with its acts; a role that it has already stays as it is.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    path = files("tallystick.process.policy").joinpath("defaults/demo.yaml")
    text = path.read_text(encoding="utf-8")
    if currency:
        text = _CURRENCY.sub(f"  currency: {currency}", text, count=1)
    if re.fullmatch(_SLUG, provider):
        text = _PROVIDER.sub(f"  provider: {provider}", text, count=1)
    more = "".join(
        f"    {name}: [{', '.join(acts)}]\n"
        for name, acts in (roles or {}).items()
        if f"\n    {name}: [" not in text
    )
    return text.replace(_ROLES, _ROLES + more, 1)


def refuse_occupied(folder: ProviderFolder) -> None:
    """Pass if no provider was set up in `folder`.

    Raises Conflict.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    if folder.settings_file.exists():
        raise Conflict(
            f"{folder.root} has a provider already", remedy="choose another folder, or serve it"
        )


def refuse_other_profile(plan: Plan) -> None:
    """Pass if the first policy of `plan` is of its profile: a service with another cannot start.

    Raises Malformed for a policy that is defective, NotPermitted with what to do.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    found = read_policy(plan.policy_text).header.profile
    if found == plan.profile:
        return
    raise NotPermitted(
        f"the first policy is of profile {found}, and a provider of profile {plan.profile} would"
        " not start with it",
        because="officers answer for the amounts of a policy in production; the demonstration's are"
        " an example",
        remedy="derive one from your programme and read it: tallystick policy derive FOLDER"
        f" --version 1 --approval {plan.profile} --out policy.yaml, then init with --policy"
        " policy.yaml (docs/how-to/run-a-provider.md, For production)",
    )


def set_up(folder: ProviderFolder, plan: Plan, secret: Secret[bytes], clock: Clock) -> Done:
    """Set up a provider in an empty `folder`, its master key sealed under `secret`.

    Raises Conflict if the folder or the store has a provider already, Malformed for a policy that
    is defective, NotPermitted for one of another profile, Unavailable if the store does not answer.
    Source: ISO/TS 12812-2:2017, 6.1; 7.4.2
    """
    currency_exponent(plan.currency)
    refuse_occupied(folder)
    refuse_other_profile(plan)
    place = _empty_store(plan.store) if plan.store else None
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.offline.mkdir(mode=0o700, exist_ok=True)
    master = MasterKey.generate(operating_system)
    _write(
        folder.master_file,
        master.seal_under_secret(secret, operating_system, profile=plan.profile),
    )
    module = SoftModule(master.roots(purposes_of(SERVER_ROLES)), clock, profile=plan.profile)
    handles = {purpose: module.generate(purpose) for purpose in (*_KEPT, *_KEPT_TOO)}
    for purpose, handle in handles.items():
        folder.save_block(purpose.value, module.export_block(handle))
    root = Ed25519SigningKey.generate()
    _keep_offline(folder.offline, "root", root, secret)
    _write(
        folder.classical_list_file,
        _key_list(root, module, handles, plan.provider, clock.now()).encode(),
    )
    officers = {name: Es256SigningKey.generate() for name in plan.officers}
    signed = None
    for name, officer in officers.items():
        _keep_offline(folder.offline, name, officer, secret)
        signed = sign_policy(plan.policy_text, name, officer, signed)
    _write(folder.policy_file, encode_canonical(signed))
    invited = tuple(Invited(role, one_time_code()) for role in plan.roles)
    if place is not None:
        folder.save_place(place)
    if plan.programme_text and not folder.programme_file.exists():
        _write(folder.programme_file, plan.programme_text.encode())
    _keep_dossier(folder)
    tightening = public_half(ModuleSigner(module, handles[Purpose.TIGHTENING]))
    folder.save_settings(_settings(plan, root, officers, invited, tightening))
    return Done(root=public_half(root), invited=invited)


def _keep_dossier(folder: ProviderFolder) -> None:
    """Leave a dossier that names the services of the programme, so that only their rows apply.

    Without a programme that can be read there is none, and every row applies.
    """
    dossier = folder.root / DOSSIER_FILE
    if dossier.exists() or not folder.programme_file.exists():
        return
    try:
        programme = read_programme(folder.programme_file.read_text(encoding="utf-8"))
    except (MfsError, UnicodeDecodeError):
        return
    _write(dossier, encode_canonical(Dossier(services=programme.services)))


def _empty_store(text: str) -> Address:
    address = parse_address(text)
    with open_reader(address) as reader:
        if reader.shapes():
            raise Conflict(
                "the store has tables already",
                remedy="give each provider a database, or a schema, of its own",
            )
    return address


def _settings(
    plan: Plan,
    root: SigningKey,
    officers: Mapping[str, SigningKey],
    invited: tuple[Invited, ...],
    tightening: PublicHalf,
) -> ProviderSettings:
    return ProviderSettings(
        v=1,
        provider=plan.provider,
        origin=f"{plan.provider}/tally/1",
        currency=plan.currency,
        country=plan.country,
        profile=plan.profile,
        root=public_half(root),
        officers={name: public_half(officer) for name, officer in officers.items()},
        invitations=tuple(
            InvitationHash(role=one.role, code_hash=code_hash(one.code.reveal())) for one in invited
        ),
        fees_flat_minor=dict(plan.fees_flat_minor),
        fees_basis_points=dict(plan.fees_basis_points),
        gateways=dict(plan.gateways),
        sms_url=plan.sms_url,
        core_url=plan.core_url,
        pin_memory_kib=plan.pin_memory_kib,
        pin_passes=plan.pin_passes,
        tightening=(tightening,),
        language=plan.language,
        senders=plan.senders or (default_sender(plan.provider, plan.country),),
        aggregators=plan.aggregators,
        sms_receipts=plan.sms_receipts,
        partners=plan.partners,
    )


def _key_list(
    root: SigningKey,
    module: SoftModule,
    handles: Mapping[Purpose, KeyHandle],
    provider: str,
    now: Instant,
) -> str:
    entries = [
        entry_of(
            module,
            handles[purpose],
            not_before=Instant(handles[purpose].created_at),
            not_after=Instant(handles[purpose].created_at + KEY_TABLE[purpose].max_life_ms),
        )
        for purpose in _LISTED
    ]
    return issue_key_list(
        root,
        provider=provider,
        version=1,
        issued_at=now,
        expires_at=Instant(now + _LIST_LIFE_MS),
        entries=entries,
    )


def _keep_offline(
    folder: Path, name: str, key: Es256SigningKey | Ed25519SigningKey, secret: Secret[bytes]
) -> None:
    passphrase = Secret(b64url(secret.reveal()))
    KeyFile.create(folder / f"{name}.key", passphrase, operating_system).write(
        key.to_pkcs8().reveal()
    )


def public_half(key: SigningKey) -> PublicHalf:
    """The public half of `key` as settings keep it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return PublicHalf(algorithm=key.algorithm, public=b64url(key.public().octets()))


def one_time_code() -> Secret[str]:
    """A code that enrols one operator: 20 letters and digits, 100 bits.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    letters = [_CODE_ALPHABET[octet % 32] for octet in operating_system(20)]
    return Secret("-".join("".join(letters[at : at + 5]) for at in range(0, 20, 5)))


def _write(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)
    path.chmod(0o600)
