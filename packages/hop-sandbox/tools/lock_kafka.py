#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = ["jgo>=3.2,<4"]
# ///
"""Write src/hop/sandbox/kafka.lock: which jars Kafka is made of, for a new version of Kafka.

    uv run packages/hop-sandbox/tools/lock_kafka.py 4.3.1

jgo resolves what Apache Kafka's own Maven artifact depends on; the lock pins each jar by SHA-256, so that what users
download later is what was tested here. Read the difference before committing it.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

LOCK = Path(__file__).parent.parent / "src" / "hop" / "sandbox" / "kafka.lock"
# log4j's own binding instead of slf4j-simple makes the resolver choose a kafka-clients that is too old.
LOGGING = "org.slf4j:slf4j-simple:1.7.36"


def lock(version: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        wanted = [f"org.apache.kafka:kafka_2.13:{version}", LOGGING]
        inputs, transitive = context.resolver.resolve(
            [context.create_dependency(c) for c in wanted]
        )
        lines = []
        for dependency in inputs + transitive:
            jar = dependency.artifact.resolve().read_bytes()
            coordinate = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
            lines.append(f"{hashlib.sha256(jar).hexdigest()} {len(jar):>8} {coordinate}")
        return sorted(lines, key=lambda line: line.split()[-1])


def main() -> None:
    version = sys.argv[1]
    lines = [
        f"# Apache Kafka {version}: SHA-256, size in bytes, Maven coordinate of each jar.",
        "# Made by tools/lock_kafka.py.",
        *lock(version),
    ]
    LOCK.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
