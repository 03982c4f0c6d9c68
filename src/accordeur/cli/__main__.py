"""`python -m accordeur.cli`, where the script `accordeur` is not on the path."""

from __future__ import annotations

import sys

from accordeur.cli.main import main

sys.exit(main())
