"""Writes and reads messages with the hop that is installed, whichever release that is.

A program as its users write them, by what the documentation of every release promises and nothing else. Python 3.8 must
be able to run it. It takes JSON on standard input, does each thing in a thread of its own, and prints what came of them
as JSON.
"""

import base64
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from hop import Stream, models
from hop.io import StartPosition

VOEVENT = ("ivorn", "role", "version", "Who", "What", "WhereWhen", "How", "Why", "Citations")


def plain(value):
    """As JSON can say it."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def rich(value):
    """What `plain` was given."""
    if isinstance(value, dict):
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: rich(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rich(inner) for inner in value]
    return value


def content(message):
    """What a message says, in any release's model of it; the first releases gave bare JSON values."""
    kind = type(message).__name__
    if kind == "VOEvent":
        return {name: plain(getattr(message, name)) for name in VOEVENT}
    if kind == "GCNCircular":
        return {"header": message.header, "body": message.body}
    if kind == "GCNTextNotice":
        return {"text": message.raw.decode() if isinstance(message.raw, bytes) else message.raw}
    return plain(getattr(message, "content", message))


def make(spec):
    if "model" not in spec:
        return rich(spec["content"])
    model = getattr(models, spec["model"], None)
    if model is None:
        raise NotImplementedError("this release has no " + spec["model"])
    if "file" in spec:
        return model.load_file(spec["file"])
    if "fields" in spec:
        return model(**rich(spec["fields"]))
    return model(rich(spec["content"]))


def write(spec):
    """Write messages with one stream; what became of each."""
    with Stream(auth=True).open(spec["url"], "w") as stream:
        return [attempt(partial(write_one, stream), message) for message in spec["messages"]]


def write_one(stream, spec):
    message = make(spec)
    options = dict(spec.get("options", {}))
    if "headers" in options:
        headers = rich(options["headers"])
        options["headers"] = (
            [tuple(one) for one in headers] if isinstance(headers, list) else headers
        )
    stream.write(message, **options)
    return content(message)


def read(spec):
    stream = Stream(auth=True, start_at=StartPosition.EARLIEST, until_eos=True)
    messages = []
    with stream.open(spec["url"], "r", **spec.get("options", {})) as opened:
        for message, metadata in opened.read(metadata=True):
            messages.append(
                {
                    "model": type(message).__name__,
                    "content": content(message),
                    "headers": [[key, plain(value)] for key, value in metadata.headers or ()],
                }
            )
    return messages


def journal(spec):
    """Write to a journal until told to stop, with a line of output after each step and one of input before the next."""
    from hop.robust_publisher import RobustProducer

    publisher = RobustProducer(spec["url"], journal_path=spec["path"])
    publisher.start()
    for count in spec["steps"]:
        for number in range(count):
            publisher.write({"number": number}, headers={"step": str(count)})
        print("written", flush=True)
        sys.stdin.readline()
    publisher.stop()
    print("stopped", flush=True)


def queue(spec):
    """Put messages into a journal with nobody to send them."""
    from hop.robust_publisher import PublicationJournal

    kept = PublicationJournal(spec["path"])
    for message in spec["messages"]:
        kept.queue_message(json.dumps(message).encode(), [("_format", b"json")])


def attempt(do, spec):
    try:
        return {"result": do(spec)}
    except Exception as exc:
        return {"error": type(exc).__name__, "text": str(exc)}


def main():
    if sys.argv[1] == "journal":
        return journal(json.loads(sys.stdin.readline()))
    do = {"write": write, "read": read, "queue": queue}[sys.argv[1]]
    specs = json.loads(sys.stdin.readline())
    with ThreadPoolExecutor(len(specs)) as pool:
        print(json.dumps(list(pool.map(partial(attempt, do), specs))))


if __name__ == "__main__":
    main()
