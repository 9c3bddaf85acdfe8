"""`make docs`: every module has its page, which is built without a warning and asks nothing of a network."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from phase2.registry import ROOMS, parts
from phase2.source import ROOT

MODULES = sorted(
    path.relative_to(ROOT / "phase2").with_suffix("").as_posix() for path in (ROOT / "phase2").rglob("*.py")
)
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # as in the Makefile
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return folder


def page(site: Path, module: str) -> str:
    return (site / "api" / f"{module.replace('__init__', 'index')}.html").read_text()


class Loaded(HTMLParser):
    """What a page loads by itself."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in LOADS and attributes.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(attributes.get(LOADS[tag]) or "")


def test_every_module_has_a_page_with_its_docstring(site: Path) -> None:
    assert not [module for module in MODULES if "doc-contents" not in page(site, module)]


def test_no_page_loads_anything_from_a_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(MODULES)
    remote = {address for each in pages for address in Loaded(each.read_text()).addresses if "//" in address}
    assert not remote
    assert not [style for style in site.rglob("*.css") if re.search(r"url\(['\"]?(https?:)?//", style.read_text())]


def test_every_part_links_its_tests_and_says_how_a_configuration_names_it(site: Path) -> None:
    for kind in ROOMS:
        for name, part in parts(kind).items():
            content = page(site, part.module.removeprefix("phase2.").replace(".", "/"))
            assert f"{kind}: <code>{name}</code>" in content
            assert re.search(r'href="[./]*files/tests/[\w/]*test_\w+\.py\.html', content), part.module


@pytest.mark.parametrize(
    ("module", "derivation"),
    [
        ("nn/activation/relu", "relu"),
        ("nn/activation/elu", "smoothness"),
        ("nn/normalization/layer", "layer_norm"),
        ("optim/adamw", "weight_decay"),
        ("schedules/cosine", "schedules"),
        ("models/residual", "residual_gradients"),
    ],
)
def test_a_layer_links_its_derivation(site: Path, module: str, derivation: str) -> None:
    assert re.search(rf'href="[./]*derive/{derivation}\.html', page(site, module))


def test_every_derivation_is_linked_from_what_it_derives(site: Path) -> None:
    derivations = [each for each in MODULES if "-> Derivation:\n" in (ROOT / "phase2" / f"{each}.py").read_text()]
    boxes = [re.findall(r'(?s)<aside class="facts".*?</aside>', page(site, each)) for each in MODULES]
    linked = "".join(box for found in boxes for box in found)
    assert len(derivations) > 20
    assert not [each for each in derivations if f"{each}.html" not in linked]


def test_examples_are_shown_as_code_and_names_are_links(site: Path) -> None:
    assert re.search(r"<code>.*&gt;&gt;&gt;", page(site, "schedules/cosine"))
    assert re.search(r'href="[^"]*errors\.html#phase2\.errors\.UserError"', page(site, "nn/convolution/conv"))
