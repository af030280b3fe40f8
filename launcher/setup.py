"""Installs what is needed and stops."""

from __future__ import annotations

from launcher.run import build_assets

if __name__ == "__main__":
    build_assets()
