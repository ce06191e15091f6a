"""Large messages, by way of the service that the broker announces, between ours and the newest release."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from interop.releases import RELEASES, build
from interop.sides import Side

from hop.sandbox import KafkaBroker, upload_server

CONTENT = {"pixels": "x" * 1_500_000}


def test_what_one_uploads_the_other_fetches(
    hop_kafka: KafkaBroker, ours: Side, tmp_path: Path
) -> None:
    user = hop_kafka.users["hop"]
    newest = RELEASES[0]
    theirs = Side(newest.version, build(newest, tmp_path), tmp_path / "config")
    theirs.succeed("auth", "add", user.file)
    with upload_server(hop_kafka, users={user.username: user.password}) as server:
        for writer in (ours, theirs):
            topic = f"large-{uuid4().hex[:8]}"
            hop_kafka.create_topic(topic)
            url = hop_kafka.url(topic)
            message = {"content": CONTENT, "options": {"headers": {"night": "1"}}}
            (written,) = writer.peer("write", [{"url": url, "messages": [message]}])
            assert written == {"result": [{"result": CONTENT}]}, writer.name
            for reader in (ours, theirs):
                (read,) = reader.peer("read", [{"url": url}])
                (got,) = read["result"]
                assert (got["model"], got["content"]) == ("JSONBlob", CONTENT), reader.name
                assert ["night", {"base64": "MQ=="}] in got["headers"]
        assert len(server.uploads) == 2
        assert {upload.user for upload in server.uploads.values()} == {"hop"}
