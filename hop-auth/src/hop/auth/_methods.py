from __future__ import annotations

from enum import Enum

from hop.auth._errors import InvalidCredentialError


class SASLMethod(Enum):
    """The ways to prove one's identity to a broker; the values are librdkafka's names for them.

    `SASLMethod("scram_sha_512")` works as well as `SASLMethod("SCRAM-SHA-512")`: files in use have
    both spellings.
    """

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"

    @classmethod
    def _missing_(cls, value: object) -> SASLMethod:
        if isinstance(value, str):
            spelling = value.strip().upper().replace("_", "-")
            for method in cls:
                if method.value == spelling:
                    return method
        known = ", ".join(method.value for method in cls)
        raise InvalidCredentialError(f"mechanism {value!r} is not known: it is one of {known}")
