"""Makes the PDF documents of the handbook from `pdf_sources/` (needs reportlab).

    python examples/handbook/make_pdf.py            # writes documents/**/NAME.pdf
    python examples/handbook/make_pdf.py FOLDER     # writes them elsewhere

The sources use a small part of Markdown: front matter, headings, paragraphs, numbered lists and
tables. Pages are A5, in the fonts every reader of PDF has. The time of making is that of the front
matter, so the same source gives the same bytes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import yaml
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

HERE = Path(__file__).parent
SOURCES = HERE / "pdf_sources"
MARGIN = 16 * mm

TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=11, leading=14.5, spaceAfter=6)
CELL = ParagraphStyle("cell", parent=TEXT, fontSize=9.5, leading=11.5, spaceAfter=0)
HEAD = ParagraphStyle("head", parent=CELL, fontName="Helvetica-Bold", fontSize=9)
ITEM = ParagraphStyle("item", parent=TEXT, leftIndent=14, bulletIndent=0, spaceAfter=3)
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=17, leading=21, spaceAfter=10)
SECTION = ParagraphStyle(
    "section", fontName="Helvetica-Bold", fontSize=11.5, leading=14, spaceBefore=8, spaceAfter=4,
    keepWithNext=1,
)  # fmt: skip


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The fields between the `---` lines, and what follows them."""
    _, head, body = text.split("---\n", 2)
    return {name: str(value) for name, value in yaml.safe_load(head).items()}, body


def flowables(body: str, width: float) -> Iterator[Flowable]:
    """Each block of the source as what stands on the page; `width` in points."""
    for block in re.split(r"\n{2,}", body.strip()):
        if block.startswith("# "):
            yield Paragraph(inline(block[2:]), TITLE)
        elif block.startswith("## "):
            yield Paragraph(inline(block[3:]), SECTION)
        elif block.startswith("|"):
            yield table(block, width)
        elif block.startswith("1. "):
            for line in block.splitlines():
                number, text = line.split(" ", 1)
                yield Paragraph(inline(text), ITEM, bulletText=number)
        else:
            yield Paragraph(inline(block), TEXT)


def inline(text: str) -> str:
    """Text with its `*emphasis*` in the marks that reportlab reads."""
    return re.sub(r"\*([^*]+)\*", r"<i>\1</i>", escape(text))


def table(block: str, width: float) -> Table:
    """A table whose columns are as wide as the text in them asks, within the page."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
    head, body = rows[0], rows[2:]
    asked = [max(8.0, max(len(row[n]) for row in rows if row) ** 0.7) for n in range(len(head))]
    cells = [[Paragraph(inline(cell), HEAD) for cell in head]]
    cells += [[Paragraph(inline(cell), CELL) for cell in row] for row in body]
    made = Table(
        cells, colWidths=[width * part / sum(asked) for part in asked], repeatRows=1, spaceAfter=8
    )
    grey = HexColor("#888888")
    made.setStyle(TableStyle([
        ("GRID", (0, 0), (-1, -1), 0.4, grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]))  # fmt: skip
    return made


def write(source: Path, target: Path) -> None:
    """One document."""
    fields, body = front_matter(source.read_text(encoding="utf-8"))

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 7.5)
        canvas.drawString(MARGIN, 9 * mm, f"Tollanmere Ferry Works, {fields['title']}")
        canvas.drawRightString(A5[0] - MARGIN, 9 * mm, f"{fields['date']}, page {document.page}")

    made = datetime.fromisoformat(fields["date"]).replace(tzinfo=UTC)
    os.environ["SOURCE_DATE_EPOCH"] = str(int(made.timestamp()))  # what reportlab asks the time
    target.parent.mkdir(parents=True, exist_ok=True)
    document = SimpleDocTemplate(
        str(target), pagesize=A5, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN,
        bottomMargin=18 * mm, title=fields["title"], author=fields["author"],
        subject="handbook, ninth edition", keywords=fields["tags"], creator="make_pdf.py",
    )  # fmt: skip
    document.build(list(flowables(body, document.width - 12)), onFirstPage=foot, onLaterPages=foot)


def main(folder: Path) -> None:
    """All documents of `pdf_sources/` into `folder`."""
    for source in sorted(SOURCES.rglob("*.md")):
        write(source, (folder / source.relative_to(SOURCES)).with_suffix(".pdf"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "documents")
