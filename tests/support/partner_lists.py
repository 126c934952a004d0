"""Lists of a partner's authority for tests, and a provider that fetches one."""

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from simulators.vendor_lists import ListServer
from tests.support.paths import NOW, ROOT, Drawn, signed

from tallystick.entry.pki.listsources import ListSource, ListSources, save_list_sources
from tallystick.entry.pki.partnerlists import named
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.terminated import keep_authorities
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.clock import SystemClock

PATH = "/ca.crl"


def made(one: Drawn, above: Drawn) -> Certificate:
    return read_certificate(signed(one, above))


def crl(
    number: int,
    *serials: int,
    by: Drawn = ROOT,
    base: int | None = None,
    at: datetime = NOW,
    days: float = 1,
    more: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> bytes:
    """A list that is `days` good from `at` on, in DER; with `more` extensions, critical or not."""
    built = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(made(by, by).parsed.subject)
        .last_update(at)
        .next_update(at + timedelta(days=days))
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    if base is not None:
        built = built.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    for extension, critical in more:
        built = built.add_extension(extension, critical=critical)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        built = built.add_revoked_certificate(entry.build())
    private: Any = by.private
    return built.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)


def fetching(folder: ProviderFolder, lists: ListServer, days: float = 7) -> None:
    """Let a provider fetch the list of an authority that its server publishes from now on."""
    root, now = made(ROOT, ROOT), SystemClock().now()
    at = datetime.fromtimestamp(now // 1000 - 1, NOW.tzinfo)
    lists.publish(PATH, crl(1, 11, at=at, days=days), now)
    keep_authorities(folder.root, "west", pem_of(root.octets).encode())
    source = ListSource(url=lists.url + PATH, authority=named(root), every_s=1)
    save_list_sources(folder.root, ListSources(v=1, lists={"west": source}))
