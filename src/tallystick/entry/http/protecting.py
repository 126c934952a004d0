"""What protects the way to a listener: a certificate that is one, or nobody outside.

Source: ISO/TS 12812-2:2017, 7.2.3
"""

import ipaddress
import ssl
from contextlib import suppress
from pathlib import Path

from tallystick.kernel.errors import Malformed, NotFound


def check_certificate(certificate: Path, private_key: Path) -> None:
    """Return only if the files are a certificate chain and its key.

    Raises NotFound, Malformed.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    for file in (certificate, private_key):
        if not file.is_file():
            raise NotFound(f"there is no file {file}", remedy="check the path")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key)
    except (OSError, ValueError) as error:
        raise Malformed(
            f"{certificate.name} and {private_key.name} are no certificate chain and its key",
            remedy="give both in PEM, the key without a passphrase",
        ) from error


def is_loopback(host: str) -> bool:
    """Whether nobody outside of this machine reaches `host`.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
