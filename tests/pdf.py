"""What a reader reads in a PDF."""

import re
from pathlib import Path

from pypdfium2 import PdfDocument

HYPHEN = "\x02"  # what PDFium writes for one that ends a line


def words_of(path: Path) -> str:
    """The words of all pages, those that a line's end divides in one piece, with one space between them."""
    with PdfDocument(path) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return re.sub(r"\s+", " ", "\n".join(pages).replace(HYPHEN, ""))
