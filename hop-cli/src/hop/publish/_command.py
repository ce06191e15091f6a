"""What `hop publish` does."""

from __future__ import annotations

import argparse

from hop.cli import set_up_logger
from hop.publish._job import Job, count


def publish(args: argparse.Namespace) -> int:
    """Publish what the arguments name."""
    set_up_logger(args)
    job = Job(args)
    if args.dry_run:
        number = sum(1 for _ in job.messages())
        job.say(f"{count(number)} can be published to {job.place}")
        return 0
    if args.robust is not None:
        from hop.publish._robust import send_robustly

        return send_robustly(job)
    from hop.publish._plain import send

    return send(job)
