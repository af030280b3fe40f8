"""Loads a list of diagnoses into an installation, whether Sunmed runs or not.

    python -m launcher.terms FILE --version 医保版2.0 [--kind TCM_DISEASE]

FILE is JSON ({code: name}), CSV or Excel (code, name and perhaps kind). It becomes the list of all organizations at once.
"""

from __future__ import annotations

import sys

import click

from launcher import installation, settings
from launcher.home import Home


def main() -> int:
    """Load a list into the home of SUNMED_HOME."""
    home = Home()
    if not (home.folder / "secrets.json").exists():
        print(
            f"Sunmed: there is no installation in {home.folder}. Set SUNMED_HOME to the one to load into.",
            file=sys.stderr,
        )
        return 1
    with installation.servers(home, running=not home.lock()) as admin:
        settings.apply(settings.environment(home, settings.known_urls(home, admin)))
        return _load(sys.argv[1:])


def _load(arguments: list[str]) -> int:
    import wsgi
    from app.facility.clinic.terms.cli import load

    app = wsgi.make_facility(wsgi.make_center())
    with app.app_context():
        try:
            load.main(arguments, prog_name="python -m launcher.terms", standalone_mode=False)
        except click.ClickException as refused:
            refused.show()
            return refused.exit_code
        finally:
            app.extensions["sqlalchemy"].close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
