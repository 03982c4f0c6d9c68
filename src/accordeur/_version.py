"""The version, read by the build and by `accordeur --version`."""

__version__ = "0.1.0"
