"""Files of formats that take more than a few letters to write, made byte by byte."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence


def pdf(pages: Sequence[str], *, info: str = "", outline: str = "", extra: str = "") -> bytes:
    """A PDF with a text on each page, its lines below each other.

    Args:
        pages: their texts.
        info: entries of the dictionary of metadata.
        outline: title of a bookmark to the last page.
        extra: further entries of the trailer.
    """
    contents = [
        b"BT /F1 12 Tf 14 TL 50 750 Td "
        + b"".join(f"({line}) Tj T* ".encode("latin-1") for line in page.split("\n"))
        + b"ET"
        for page in pages
    ]
    return pdf_of_streams([(text, "") for text in contents], info, outline, extra)


def pdf_bomb(megabytes: int) -> bytes:
    """A PDF whose one page unpacks to so many megabytes of nothing, twice compressed."""
    once = zlib.compressobj(9)
    block = b" " * 2**20
    packed = b"".join(once.compress(block) for _ in range(megabytes)) + once.flush()
    return pdf_of_streams([(zlib.compress(packed, 9), "/Filter [/FlateDecode /FlateDecode]")])


def pdf_of_streams(
    streams: Sequence[tuple[bytes, str]], info: str = "", outline: str = "", extra: str = ""
) -> bytes:
    """A PDF of pages whose contents are given as they stand in the file."""
    font, count = 3, len(streams)
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(count))
    catalog = "<< /Type /Catalog /Pages 2 0 R"
    catalog += f" /Outlines {4 + 2 * count + 1} 0 R >>" if outline else " >>"
    objects: list[bytes] = [
        catalog.encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, (data, filters) in enumerate(streams):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * at} 0 R"
            f" /Resources << /Font << /F1 {font} 0 R >> >> >>".encode()
        )
        objects.append(
            f"<< /Length {len(data)} {filters} >>\nstream\n".encode() + data + b"\nendstream"
        )
    objects.append(f"<< {info} >>".encode())
    if outline:
        top, page = len(objects) + 1, 4 + 2 * (count - 1)
        objects.append(f"<< /First {top + 1} 0 R /Last {top + 1} 0 R /Count 1 >>".encode())
        objects.append(
            f"<< /Title ({outline}) /Parent {top} 0 R /Dest [{page} 0 R /Fit] >>".encode()
        )
    return _file(objects, 4 + 2 * count, extra)


def _file(objects: Sequence[bytes], info: int, extra: str) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010} 00000 n \n".encode() for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {info} 0 R {extra} >>"
    out.write(f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


ENCRYPTED = (
    "/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -1340"
    f" /O <{'3f' * 32}> /U <{'5a' * 32}> >> /ID [<{'00' * 16}> <{'00' * 16}>]"
)
"""Entries of a trailer that ask for a password nobody knows."""

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"


def docx(paragraphs: Sequence[tuple[str, str]], *, title: str = "", author: str = "") -> bytes:
    """A Word document of paragraphs, each a style (empty, `Heading1` ...) and a text."""
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    names = sorted({style for style, _ in paragraphs if style})
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name}">'
        f'<w:name w:val="{name.replace("Heading", "heading ")}"/></w:style>'
        for name in names
    )
    dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1"'
        f' Type="{_DOCUMENT}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship'
        ' Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"'
        ' Target="styles.xml"/></Relationships>',
        "docProps/core.xml": f"<core {dc}><dc:title>{title}</dc:title>"
        f"<dc:creator>{author}</dc:creator></core>",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return made.getvalue()
