"""The bibliography: every entry leads somewhere, and its fields are ones that can be true."""

import re
from pathlib import Path

import pytest

BIBLIOGRAPHY = Path(__file__).parents[2] / "report" / "references.bib"
PATTERNS = {
    "year": r"(19|20)\d\d",
    "pages": r"\d+--\d+",
    "volume": r"\d+",
    "number": r"\d+",
    "doi": r"10\.\d{4,}/\S+",
    "url": r"https?://\S+",
    "eprint": r"\d{4}\.\d{4,5}",
    "eprinttype": "arXiv",
}


def entries() -> dict[str, dict[str, str]]:
    """The fields of each entry by its key."""
    found = {}
    for text in re.findall(r"^@\w+\{.*?^\}", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        key = re.match(r"@\w+\{(\w+),", text)
        found[str(key and key[1])] = dict(re.findall(r"^  (\w+) = \{(.*?)\},?$", text, re.MULTILINE | re.DOTALL))
    return found


ENTRIES = entries()


def test_all_entries_are_read_and_no_key_or_link_is_there_twice():
    assert list(ENTRIES) == re.findall(r"@\w+\{(\w+),", BIBLIOGRAPHY.read_text(encoding="utf-8"))
    links = [fields[name] for fields in ENTRIES.values() for name in ("doi", "url", "eprint") if name in fields]
    assert len(set(links)) == len(links) >= len(ENTRIES)


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_leads_somewhere_and_its_fields_are_plausible(key: str):
    fields = ENTRIES[key]
    assert fields.keys() & {"doi", "url", "eprint"}, "an entry needs a doi, a url or an eprint"
    assert {"author", "title", "year"} <= fields.keys()
    for name, pattern in PATTERNS.items():
        assert name not in fields or re.fullmatch(pattern, fields[name]), f"{name} = {fields.get(name)}"
    assert ("eprint" in fields) == ("eprinttype" in fields)
    if "pages" in fields:
        first, last = map(int, fields["pages"].split("--"))
        assert first <= last < first + 200
    assert key.startswith(
        tuple(part.lower() for part in re.findall(r"[A-Za-z]+", fields["author"].split(",")[0])) + KEYS
    )
    assert re.search(r"\d{4}", key)[0] in (fields["year"], *YEARS.get(key, ()))


KEYS = ("more", "molder", "laarhoven", "devries")
YEARS: dict[str, tuple[str, ...]] = {}
