"""Where hop keeps its configuration."""

from hop.configure._paths import get_config_path

__all__ = ["get_config_path"]
