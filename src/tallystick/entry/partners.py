"""Partners who call back: which of them a callback is from, and how far that can be believed.

    mac          HMAC-SHA-256 under a secret that only provider and partner have: whoever changes,
                 invents or moves a callback is found out, also behind the terminator of TLS
    certificate  the terminator of TLS verified the partner's certificate and says which: as good as
                 the terminator, and nothing is protected behind it

    tls          this service terminates TLS itself and saw the partner's certificate, which the
                 provider's own authority issued and has not revoked

Where a callback comes from narrows who could send it and proves nothing; nor does a secret in a
path, which stands in the logs of everybody between.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; 7.3.3; RFC 9440
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.crypto.digest import equal, hmac_sha256, sha256
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.callbacks import callback_message, read_proof

CERTIFICATE_HEADER = "client-cert"
CHAIN_HEADER = "client-cert-chain"
_LABEL = b"tallystick partner link v1\x00"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


class Headers:
    """What a callback says of its sender: proof, certificate (RFC 9440), and its address.

    `chain` are the authorities that the terminator of TLS saw above the certificate.
    `partner` is whom the certificate names that this service itself saw, empty for none.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    __slots__ = ("certificate", "chain", "partner", "peer", "proof")

    def __init__(
        self, proof: str, certificate: str, peer: str, partner: str = "", chain: str = ""
    ) -> None:
        self.partner = partner
        self.chain = chain
        self.proof = proof
        self.certificate = certificate
        self.peer = peer


def link_secret(module: CryptoModule, handle: KeyHandle, link: PartnerLink) -> Secret[bytes]:
    """The secret that provider and partner share: 32 octets; another for each generation.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 9797-2
    """
    named = link.name.encode() + b"\x00" + str(link.generation).encode()
    return Secret(module.mac(handle, _LABEL + named))


def check_links(settings: ProviderSettings) -> None:
    """Pass if every partner of `settings` can be told from everybody else.

    Raises Malformed for a name that is no slug or is used twice, a certificate without its digest
    or without the addresses of the terminator, and an address that is none.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    links = [*settings.aggregators]
    links += [one for one in (settings.sms_receipts, settings.sim_changes) if one is not None]
    if len({link.name for link in links}) != len(links):
        raise Malformed("two partners have one name", remedy="give each its own")
    for link in links:
        if not _NAME.fullmatch(link.name) or link.generation < 1:
            raise Malformed("a partner's name is a slug, and its generation counts from 1")
        if link.proof == "certificate" and not (
            _DIGEST.fullmatch(link.certificate) and link.sources
        ):
            raise Malformed(
                f"{link.name}: a certificate takes its SHA-256 and the terminator's addresses",
                remedy="give both, or use proof mac",
            )
        _networks(link.sources)


def register(
    folder: ProviderFolder,
    opener: Opener,
    clock: Clock,
    link: PartnerLink,
    *,
    receipts: bool,
    sim_changes: bool = False,
) -> Secret[bytes]:
    """Keep a partner in the settings of `folder`; gives the secret to hand over.

    A partner who is registered again gets the next generation, and the secret before ends. With
    `receipts` it is the SMSC, with `sim_changes` the one who tells of replaced SIMs, else an
    aggregator. The service knows it from its next start on.
    Raises what `check_links` raises, NotFound, NotAuthentic.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.2
    """
    settings = folder.settings()
    known = {one.name: one for one in settings.aggregators}
    if settings.sms_receipts is not None:
        known[settings.sms_receipts.name] = settings.sms_receipts
    if settings.sim_changes is not None:
        known[settings.sim_changes.name] = settings.sim_changes
    if link.name in known:
        link = replace(link, generation=known[link.name].generation + 1)
    others = tuple(one for one in settings.aggregators if one.name != link.name)
    if sim_changes:
        changed = replace(settings, sim_changes=link)
    elif receipts:
        changed = replace(settings, sms_receipts=link)
    else:
        changed = replace(settings, aggregators=(*others, link))
    check_links(changed)
    roots = folder.master(opener).roots((Purpose.PARTNER_LINK,))
    module = SoftModule(roots, clock, profile=settings.profile)
    try:
        secret = link_secret(module, _link_key(folder, module), link)
    finally:
        module.zeroise()
    folder.save_settings(changed)
    return secret


def _link_key(folder: ProviderFolder, module: SoftModule) -> KeyHandle:
    """The key that shared secrets are derived from; made where there is none yet."""
    for block in folder.blocks():
        if peek(block).purpose is Purpose.PARTNER_LINK:
            return module.import_block(block)
    made = module.generate(Purpose.PARTNER_LINK)
    folder.save_block(Purpose.PARTNER_LINK.value, module.export_block(made))
    return made


def check_callback(
    link: PartnerLink,
    secret: Secret[bytes],
    path: str,
    body: bytes,
    headers: Headers,
    now: Instant,
) -> str:
    """Pass if the partner of `link` sent `body` to `path`; gives what no other callback has.

    With a certificate that is empty: nothing tells one copy of a callback from the other.
    Raises NotAuthentic, Expired.
    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3
    """
    if link.sources and not _is_from(headers.peer, link.sources):
        raise NotAuthentic("the callback does not come from where it should")
    if link.proof == "tls":
        if headers.partner != link.name:
            raise NotAuthentic("the callback is not from a partner of this provider")
        return ""
    if link.proof == "certificate":
        if not equal(_digest_of(headers.certificate).encode(), link.certificate.encode()):
            raise NotAuthentic("the callback is not from a partner of this provider")
        return ""
    proof = read_proof(headers.proof, now)
    expected = hmac_sha256(secret.reveal(), callback_message(path, proof.at, body))
    if not equal(proof.tag, expected):
        raise NotAuthentic("the callback is not from a partner of this provider")
    return b64url(proof.tag)


def _is_from(peer: str, sources: Iterable[str]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in _networks(sources))


def _networks(sources: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(source) for source in sources]
    except ValueError as error:
        raise Malformed("an address of a partner is none", remedy="write 192.0.2.0/24") from error


def _digest_of(header: str) -> str:
    """The SHA-256 of the certificate in a `client-cert` header, empty if there is none."""
    if not (header.startswith(":") and header.endswith(":") and 2 < len(header) <= 16_384):
        return ""
    try:
        return b64url(sha256(b64decode(header[1:-1], validate=True)))
    except (binascii.Error, ValueError):
        return ""
