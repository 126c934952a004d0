# ruff: noqa: INP001
"""Ends with 0 if the service in this container takes orders: `ready.py PORT CERTIFICATE-CHAIN`.

It asks over TLS on the loopback address and believes only the certificate the service was given.
"""

import http.client
import ssl
import sys

PATIENCE_S = 4


def main() -> int:
    """Ask /health/ready once; 1 with the reason if the answer is not 200."""
    port, chain = sys.argv[1:]
    context = ssl.create_default_context(cafile=chain)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    connection = http.client.HTTPSConnection(
        "127.0.0.1", int(port), timeout=PATIENCE_S, context=context
    )
    try:
        connection.request("GET", "/health/ready")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"not ready: {error}\n")
        return 1
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        sys.stderr.write(f"not ready: {status}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
