"""`accordeur serve`: bundles and models behind the OpenAI wire."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accordeur.core.errors import MissingDependency, UsageError

if TYPE_CHECKING:
    from accordeur.core.model import Embedder
    from accordeur.serve.model import ServedModels
    from accordeur.serve.served import Served


def command(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE_OR_MODEL...",
            help="Bundles (a folder, or a run: its winner) and models; NAME=... names one.",
        ),
    ],
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="To listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="0 for any free one.")] = 8000,
    most: Annotated[
        int,
        typer.Option(
            "-j", "--max-concurrency", metavar="N", help="Requests at once; others get 429."
        ),
    ] = 256,
    body: Annotated[float, typer.Option("--max-body", metavar="MB", help="Of a request.")] = 4.0,
    unguarded: Annotated[
        bool, typer.Option("--no-keys", help="Answer everybody, from other machines, too.")
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Of the endpoints that bundles or models are called at."),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="float32, each answer independent of its batch."),
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="Print a line per request.")] = False,
) -> int:
    """Serve bundles and models to clients of the OpenAI API.

    Clients choose by `model`. A bundle brings its instruction, examples and trained parts; earlier
    messages stand between its examples and the last one. Listens on this machine alone; elsewhere
    keys are needed (accordeur keys add NAME), and once there are keys they are always needed.
    """
    if most < 1 or body <= 0:
        raise UsageError("A limit is a number above 0.", hint="accordeur serve --help")
    _needed()
    from accordeur.cli.failures import note
    from accordeur.models.source import EMBEDDER, Models
    from accordeur.serve.app import make_app
    from accordeur.serve.engine import Engine
    from accordeur.serve.keys import KeyFile
    from accordeur.serve.model import ServedModels
    from accordeur.serve.remembering import Conversations
    from accordeur.serve.served import Catalog
    from accordeur.serve.server import address, is_loopback, listen, names_of, serve
    from accordeur.store.conversations import ConversationStore

    keys = None if unguarded else KeyFile()
    known = len(keys.hashes) if keys is not None else 0
    if not (known or unguarded or is_loopback(host)):
        raise UsageError(
            f"On {host} anybody could ask, and no key is set.",
            hint="accordeur keys add NAME, or --no-keys if that is meant",
        )
    bound = listen(host, port)
    engine = Engine()
    models = Models(deterministic=deterministic, log=note, base_url=base_url)
    source = ServedModels(models, engine)
    moved = base_url is not None
    served = engine.call(lambda: [_served(one, source, moved=moved) for one in named])
    if twice := {one.name for one in served if [s.name for s in served].count(one.name) > 1}:
        raise UsageError(
            f"Two would answer as `{sorted(twice)[0]}`.", hint="name them: one=PATH other=PATH"
        )
    catalog = Catalog(served, engine.call(lambda: _embedders(source)))
    app = make_app(
        catalog,
        engine,
        keys=keys,
        hosts=() if unguarded else names_of(host),
        most=most,
        body_bytes=int(body * 2**20),
        # Without keys on other machines' reach, anybody could go on with the user's own.
        conversations=None
        if unguarded and not is_loopback(host)
        else Conversations(ConversationStore, lambda: source.embedder(EMBEDDER), note),
    )
    serve(app, bound, lambda: _ready(address(bound), served, known), "info" if log else "warning")
    return 0


def _served(named: str, source: ServedModels, *, moved: bool) -> Served:
    from accordeur.cli.answer import find_bundle
    from accordeur.cli.failures import note
    from accordeur.core.errors import ModelError
    from accordeur.models.source import resolve
    from accordeur.serve.served import serve_bundle, serve_model

    alias, _, what = ("", "", named) if Path(named).exists() else named.rpartition("=")
    try:
        model = None if (Path(what).expanduser() / "bundle.json").is_file() else resolve(what)
    except ModelError:
        model = None
    if model is not None:
        return serve_model(alias or model, model, source)
    folder = find_bundle(Path(what).expanduser())
    return serve_bundle(alias or _name(folder, what), folder, source, moved=moved, log=note)


def _embedders(source: ServedModels) -> dict[str, Embedder]:
    """The embedding model, where it is installed."""
    from accordeur.core.errors import ModelError
    from accordeur.models.source import EMBEDDER

    try:
        return {EMBEDDER: source.embedder(EMBEDDER)}
    except ModelError:
        return {}


def _name(folder: Path, what: str) -> str:
    """A bundle's folder; a winner is named as its run was."""
    whole = folder.resolve()
    return Path(what).name if whole.name == "winner" and Path(what).name else whole.name


def _ready(url: str, served: list[Served], keys: int) -> None:
    from accordeur.cli.terminal import console, one_line

    out = console()
    out.print(f"serving at {url}/v1", soft_wrap=True)
    for one in served:
        parts = one.candidate.describe() if one.bundle else "as it is"
        out.print(f"  {one_line(one.name)}: {one_line(parts)}")
    key = ' -H "Authorization: Bearer $KEY"' if keys else ""
    out.print(
        f"\ntry: curl {url}/v1/chat/completions -H 'Content-Type: application/json'{key} \\\n"
        f"""  -d '{{"model": "{served[0].name}", "messages": """
        """[{"role": "user", "content": "..."}]}'""",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def _needed() -> None:
    import importlib.util

    for name in ("starlette", "uvicorn"):
        if importlib.util.find_spec(name) is None:
            raise MissingDependency(
                f"`accordeur serve` needs `{name}`, which is not installed.",
                hint="pip install 'accordeur[serve]'",
            )
