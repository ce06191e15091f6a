"""The process behind a memory broker: `python -m hop.sandbox._server PORT`.

It speaks JSON, one value a line. The first line it writes is `{"address": …}` or `{"error": …}`. Each line that it
reads is something to do, `["create_topic", name, partitions]` or `["fail", request, error, times]`, answered by `{}`
or `{"error": …}`. It ends when its standard input does, so it can't outlive the program that started it, however that
one ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

from hop.sandbox._errors import SandboxError
from hop.sandbox._forward import forward
from hop.sandbox._mock import MockCluster

_HOST = "127.0.0.1"


def _answer(**values: str) -> None:
    print(json.dumps(values), flush=True)


async def _serve(port: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        try:
            cluster = MockCluster()
            stack.callback(cluster.close)
            if port:
                server = await forward(_HOST, port, cluster.address)
                stack.callback(server.close)
                cluster.advertise(_HOST, port)
        except SandboxError as exc:
            _answer(error=str(exc))
            return
        _answer(address=cluster.address)
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                match json.loads(line):
                    case ["create_topic", name, partitions]:
                        cluster.create_topic(name, partitions)
                    case ["fail", request, error, times]:
                        cluster.fail(request, error, times)
            except SandboxError as exc:
                _answer(error=str(exc))
            else:
                _answer()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
