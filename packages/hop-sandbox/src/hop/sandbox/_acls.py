"""Permissions as Kafka's access control lists write them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

_ANY_HOST = "*"
_EVERYBODY = "User:*"
# To learn a topic's largest message is part of using it, in either direction.
_READ = (AclOperation.READ, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
_WRITE = (AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
_GROUP = (AclOperation.READ, AclOperation.DESCRIBE, AclOperation.DELETE)


def topic_acls(
    topic: str, read: Collection[str] | None, write: Collection[str] | None
) -> list[AclBinding]:
    """These users, None being everybody, may read and write a topic."""
    bindings = [
        _allow(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, principal, operation)
        for users, operations in ((read, _READ), (write, _WRITE))
        for principal in _principals(users)
        for operation in operations
    ]
    return list(dict.fromkeys(bindings))


def group_acls(user: str) -> list[AclBinding]:
    """A user may use the groups whose names start with the user's."""
    return [
        _allow(ResourceType.GROUP, user, ResourcePatternType.PREFIXED, f"User:{user}", operation)
        for operation in _GROUP
    ]


def all_of_topic(topic: str) -> AclBindingFilter:
    """Whatever is allowed on a topic."""
    return AclBindingFilter(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def exactly(acl: AclBinding) -> AclBindingFilter:
    """This binding and no other."""
    return AclBindingFilter(
        acl.restype,
        acl.name,
        acl.resource_pattern_type,
        acl.principal,
        acl.host,
        acl.operation,
        acl.permission_type,
    )


def _principals(users: Collection[str] | None) -> Iterable[str]:
    return [_EVERYBODY] if users is None else [f"User:{user}" for user in users]


def _allow(
    kind: ResourceType,
    name: str,
    pattern: ResourcePatternType,
    principal: str,
    operation: AclOperation,
) -> AclBinding:
    return AclBinding(kind, name, pattern, principal, _ANY_HOST, operation, AclPermissionType.ALLOW)
