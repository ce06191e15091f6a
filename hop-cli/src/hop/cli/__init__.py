"""The `hop` command: what its subcommands share."""

from hop.cli._errors import CommandError
from hop.cli._main import main
from hop.cli._options import add_client_opts, add_logging_opts, get_log_level, set_up_logger

__all__ = [
    "CommandError",
    "add_client_opts",
    "add_logging_opts",
    "get_log_level",
    "main",
    "set_up_logger",
]
