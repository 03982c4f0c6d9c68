"""The command: flags to questions."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.ask.asking import Asker, Caution
    from accordeur.cli.chat.respondent import Respondent
    from accordeur.documents.passage import Filter, Ranking
    from accordeur.parts.retrieval import Retrieval
    from accordeur.parts.retrieval.asking import Search
    from accordeur.parts.retrieval.queries import Way
    from accordeur.parts.retrieval.query_writer import QueryWriter
    from accordeur.store import SqliteAnswerCache

MODEL = "local/smollm2"


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="INDEX", help="Name or folder of an index, or a bundle with documents."
        ),
    ],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="QUESTION...", help="`-` reads it from stdin.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            metavar="NAME",
            help=f"Who answers: a model, or a bundle. Default: {MODEL}.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="FILE", help="Questions (.jsonl, .csv, .tsv, .json), a row each."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write their answers there (.jsonl)."),
    ] = None,
    k: Annotated[
        int | None, typer.Option("-k", metavar="N", help="Passages to look up. Default: 5.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(metavar="MODE", help="lexical, dense, fusion or rrf.")
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only documents like `policies/*`. Repeat it."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only documents that say so. Repeat it."),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A cross-encoder that puts the first 30 passages in order."
        ),
    ] = None,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="The model writes what is searched for.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Read all documents, in as many calls as it takes.")
    ] = False,
    by: Annotated[
        str, typer.Option(metavar="WAY", help="Of --whole: map-reduce, refine or tree.")
    ] = "map-reduce",
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="By hand: no answer when no passage is as near (cosine, or BM25)."
        ),
    ] = None,
    calibrate_with: Annotated[
        Path | None,
        typer.Option(
            "--calibrate",
            metavar="ROWS",
            help="Learn from labelled questions when to abstain, and keep it beside the index.",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="By which --calibrate judges answers. Default: icontains."
        ),
    ] = None,
    answer_all: Annotated[
        bool, typer.Option("--answer-all", help="Withhold nothing, whatever was calibrated.")
    ] = False,
    marks: Annotated[
        bool | None,
        typer.Option(
            "--marks/--no-marks",
            help="Ask the model for [1]. Default: of endpoints; small models cannot.",
        ),
    ] = None,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Print the answer when it is whole.")
    ] = False,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Print what the model would get; ask nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Longest answer. Default for a bare model: 512.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Of an endpoint.")] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Ask anew what was asked before.")
    ] = False,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="float32, each answer the same every time.")
    ] = False,
) -> int:
    """Ask documents a question; the answer comes with citations.

    Every quote is compared with the indexed document before it is shown. An answer that no passage
    supports is said to be so.
    """
    from accordeur.cli.ask.asking import Asker, Caution
    from accordeur.cli.ask.collection import in_bundle, opened, staleness
    from accordeur.cli.ask.printing import print_answer, print_json, print_prompt
    from accordeur.cli.ask.showing import search_notes
    from accordeur.cli.chat.respondent import Respondents, Wishes
    from accordeur.cli.failures import note, warn
    from accordeur.cli.index.reranking import reranking_notes
    from accordeur.cli.index.search import as_filter
    from accordeur.store import SqliteAnswerCache

    question = _question(name, words, source or calibrate_with)
    _check(name, source, output, k, max_tokens)
    if whole and question is None:
        raise UsageError(
            "`--whole` takes one question.", hint=f'accordeur ask {name} --whole "..."'
        )
    if whole and (rewrite or rerank is not None):
        raise UsageError(
            "`--whole` reads everything, so nothing is searched for.",
            hint="leave out --rerank and --rewrite",
        )
    ranking = _ranking(mode)
    own = in_bundle(name) if model is None else None
    wishes = Wishes(
        max_tokens=max_tokens,
        base_url=base_url,
        deterministic=deterministic,
        reading=True,
        marks=marks,
    )
    with ExitStack() as stack:
        cache = None
        if (source or calibrate_with or whole) and not no_cache:
            cache = stack.enter_context(SqliteAnswerCache(warn=warn))
        respondents = Respondents(wishes, note, cache)
        asked = stack.enter_context(opened(name, ranking, respondents.models(), rerank))
        if stale := staleness(asked):
            note(stale)
        respondent = respondents.find(str(own) if own is not None else model or MODEL)
        if whole:
            assert question is not None
            from accordeur.cli.ask.whole import answer_whole

            return answer_whole(
                asked,
                question,
                respondent.candidate,
                respondents.models(base_url),
                cache,
                where=as_filter(path, where),
                way=by,
                limit=max_tokens or 256,
                as_json=as_json,
            )
        part = _own_part(own)
        way: Way | None = "rewrite" if rewrite else part.queries if part is not None else None
        search = _search(part, k, ranking, as_filter(path, where))
        search = replace(search, writer=_writer(way, respondent, cache))
        asker = Asker(asked, respondent.answerer, search, Caution(min_score=min_score))
        if calibrate_with is not None:
            from accordeur.cli.ask.calibrating import calibrate

            return calibrate(asker, calibrate_with, respondent.digest, metric)
        if not answer_all:
            asker.caution = _caution(asker, respondent, part)
        if question is None:
            assert source is not None
            from accordeur.cli.ask.batch import answer_file

            return answer_file(asker, source, output)
        (looked,) = asker.look([question])
        for line in (*search_notes(looked), *reranking_notes(asked.searchable)):
            note(line)
        if show_prompt:
            return print_prompt(asker, looked)
        if as_json:
            return print_json(asker, question, looked)
        return print_answer(asker, question, looked, stream=not no_stream)


def _question(name: str, words: list[str] | None, source: Path | None) -> str | None:
    """The question; `None` where a file holds them.

    Raises:
        UsageError: none, or both.
    """
    hint = f'accordeur ask {name} "your question", or --file questions.jsonl -o answers.jsonl'
    if source is not None:
        if words:
            raise UsageError("Give either a question or a file.", hint=hint)
        return None
    text = " ".join(words or ())
    if text == "-":
        text = sys.stdin.read()
    if not text.strip():
        raise UsageError("There is no question.", hint=hint)
    return text.strip()


def _check(
    name: str, source: Path | None, output: Path | None, k: int | None, max_tokens: int | None
) -> None:
    from accordeur.cli.answer import check_output

    if output is not None and source is None:
        raise UsageError(
            "`-o` goes with `--file`.", hint=f'accordeur ask {name} "your question" --json'
        )
    check_output(output)
    if k is not None and k < 1:
        raise UsageError(f"`-k {k}` looks nothing up.", hint="-k 5")
    if max_tokens is not None and max_tokens < 1:
        raise UsageError(f"`--max-tokens {max_tokens}` leaves no answer.", hint="--max-tokens 256")


def _ranking(mode: str | None) -> Ranking | None:
    from accordeur.documents.passage import Ranking
    from accordeur.documents.ranking.order import check_ranking

    if mode is None:
        return None
    ranking = Ranking(mode)  # type: ignore[arg-type]
    check_ranking(ranking, vectors=True)
    return ranking


def _own_part(bundle: Path | None) -> Retrieval | None:
    """How a bundle that is asked about its own documents was measured."""
    if bundle is None:
        return None
    from accordeur.parts.bundle import load_bundle
    from accordeur.parts.retrieval import Retrieval

    return load_bundle(bundle).candidate.part(Retrieval)


def _search(
    part: Retrieval | None, k: int | None, ranking: Ranking | None, where: Filter
) -> Search:
    """How passages are looked up; as a bundle was measured where nothing else is asked for."""
    from accordeur.parts.retrieval.asking import K, Search
    from accordeur.parts.retrieval.part import TOKENS

    if part is None:
        return Search(k or K, ranking, where, TOKENS)
    return Search(k or part.k, ranking or part.ranking, where, part.tokens)


def _writer(
    way: Way | None, respondent: Respondent, cache: SqliteAnswerCache | None
) -> QueryWriter | None:
    """Who writes what is searched for."""
    from accordeur.parts.retrieval.query_writer import QueryWriter

    model = respondent.base_model() if way is not None else None
    return None if way is None or model is None else QueryWriter(way, model, cache)


def _caution(asker: Asker, respondent: Respondent, part: Retrieval | None) -> Caution:
    """When to abstain: as the bundle was measured, or as was learned for this index."""
    from accordeur.cli.ask.asking import Caution
    from accordeur.cli.ask.calibrating import key_of, read_calibration
    from accordeur.cli.failures import note

    by_hand = asker.caution.min_score
    if part is not None:
        return Caution(part.confidence, part.threshold, by_hand)
    known = read_calibration(asker.asked.folder, key_of(asker, respondent.digest))
    if known is None:
        return asker.caution
    if known.index != asker.asked.searchable.fingerprint:
        note("The index has changed since it was calibrated; --calibrate ROWS does it again.")
    return Caution(known.confidence, known.threshold, by_hand)
