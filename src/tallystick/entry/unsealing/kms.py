"""A key-encryption key in AWS KMS, or in what speaks its protocol, asked through botocore.

    aws-kms://KEY-ID?region=REGION&profile=NAME&endpoint=URL&credentials=/PATH

The access key comes from the role of the machine or from files, never from the environment. What
the secret is bound to goes as encryption context, which shows in the service's own log.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

import importlib
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tallystick.kernel.errors import (
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.secret import Secret

KIND: Final = "aws-kms"
ATTEMPTS: Final = 4
TIMEOUT_S: Final = 5
_CONTEXT: Final = "tallystick"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_AS_WRONG: Final = frozenset(
    {"InvalidCiphertextException", "IncorrectKeyException", "InvalidKeyUsageException"}
)
_AS_DENIED: Final = frozenset(
    {
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
    }
)


@dataclass(frozen=True, slots=True)
class KmsKey:
    """Which key is meant, where, and what signs the requests; `endpoint` is for other services.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    key_id: str
    region: str
    profile: str = ""
    endpoint: str = ""
    credentials: str = ""


class Kms:
    """Wraps and unwraps by asking; what is throttled is asked again, later each time.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    kind = KIND

    def __init__(self, where: KmsKey) -> None:
        """Prepare a client; raises NotPermitted where the extra `kms` is not installed.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        parts = urlsplit(where.endpoint)
        if where.endpoint and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise Malformed("the endpoint is an https URL", remedy="http is for localhost only")
        self._where = where
        try:
            sessions: Any = importlib.import_module("botocore.session")
            configs: Any = importlib.import_module("botocore.config")
            self._errors: Any = importlib.import_module("botocore.exceptions")
        except ImportError as error:
            raise NotPermitted(
                "this installation does not speak to KMS", remedy="install tallystick[kms]"
            ) from error
        try:
            self._client = self._made(sessions, configs)
        except self._errors.BotoCoreError as error:
            raise Malformed(
                "the key service cannot be named this way", remedy="check region and profile"
            ) from error

    def wrap(self, secret: Secret[bytes], context: bytes) -> bytes:
        """`secret` as the service enciphers it.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._ask("encrypt", "CiphertextBlob", context, Plaintext=secret.reveal())

    def unwrap(self, wrapped: bytes, context: bytes) -> Secret[bytes]:
        """What the service deciphers; NotAuthentic where it cannot.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return Secret(self._ask("decrypt", "Plaintext", context, CiphertextBlob=wrapped))

    def __repr__(self) -> str:
        return f"Kms({self._where.region}, {self._where.key_id})"

    def _made(self, sessions: Any, configs: Any) -> Any:
        where = self._where
        session = sessions.Session(profile=where.profile or None)
        if where.credentials:
            session.set_config_variable("credentials_file", where.credentials)
        session.get_component("credential_provider").remove("env")
        return session.create_client(
            "kms",
            region_name=where.region,
            endpoint_url=where.endpoint or None,
            config=configs.Config(
                connect_timeout=TIMEOUT_S,
                read_timeout=TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            ),
        )

    def _ask(self, act: str, wanted: str, context: bytes, **more: bytes) -> bytes:
        try:
            answer = getattr(self._client, act)(
                KeyId=self._where.key_id, EncryptionContext={_CONTEXT: context.decode()}, **more
            )
        except self._errors.ClientError as error:
            raise _refusal(str(error.response.get("Error", {}).get("Code", ""))) from error
        except (self._errors.NoCredentialsError, self._errors.CredentialRetrievalError) as error:
            raise NotPermitted(
                "nothing signs the requests to the key service",
                remedy="give the machine a role, or credentials=/PATH",
            ) from error
        except self._errors.BotoCoreError as error:
            raise Unavailable(
                "the key service cannot be reached", remedy="check its endpoint and the network"
            ) from error
        found = answer.get(wanted)
        if not isinstance(found, bytes):
            raise Unavailable("the key service answers something else")
        return found


def _refusal(code: str) -> MfsError:
    """What an error code of the service means.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    if code in _AS_DENIED:
        return NotPermitted(
            "the key service refuses",
            because="access denied",
            remedy="let this role do kms:Encrypt and kms:Decrypt with the key",
        )
    if code in _AS_WRONG:
        return NotAuthentic(
            "the key service does not decipher this",
            remedy="check which key-encryption key the address names",
        )
    if code == "NotFoundException":
        return NotFound("the key service has no such key", remedy="check the id and the region")
    if "Throttl" in code or code == "LimitExceededException":
        return Unavailable("the key service is throttling", remedy="wait, or raise its quota")
    return Unavailable(
        f"the key service fails ({code[:40]})", remedy="see whether the key is enabled"
    )
