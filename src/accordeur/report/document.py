"""The shell of a page: one self-contained HTML file that opens offline and runs only our script.

A Content Security Policy names our style sheet and script by hash and forbids everything else, so
that even a text that escaped its escaping would load and run nothing. Inline `style` attributes are
forbidden by it too; figures use presentation attributes and classes.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from accordeur._version import __version__
from accordeur.report.markup import Markup, join, tag

STYLES = ("page.css", "tables.css", "figures.css", "browser.css", "print.css")
SCRIPTS = ("sort.js", "panels.js", "copy.js", "browser.js")


def document(title: str, body: Markup, *, version: str = __version__) -> str:
    """A whole document around a body.

    Args:
        title: of the window.
        body: a `body` element; our script is put at its end.
        version: of the program that made what it shows.
    """
    style, script = _assets(STYLES), _assets(SCRIPTS)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=f"Accordeur {version}"),
        tag("title", title),
        Markup(f"<style>{style}</style>"),
    )
    whole = join(Markup(body.removesuffix("</body>")), Markup(f"<script>{script}</script></body>"))
    return "<!doctype html>\n" + tag("html", head, whole, lang="en") + "\n"


def _assets(names: tuple[str, ...]) -> str:
    folder = files("accordeur.report") / "assets"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """A source expression of the policy for an inline element with this content."""
    value = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{value}'"
