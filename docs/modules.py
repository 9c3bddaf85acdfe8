"""The modules of phase2, and what a page says of one besides its docstrings: its part, its derivations, its tests."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path

from phase2 import registry
from phase2.derive.catalog import DERIVATIONS, USED
from phase2.derive.html import prose, sources, to_html
from phase2.study.fingerprint import origin

ROOT = Path(__file__).resolve().parents[1]
TESTS = 6  # as many are named; a module of the lowest floor is imported by most


@dataclass(frozen=True)
class Module:
    """A module of the package, read and not imported."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def uri(self) -> str:
        """Its page."""
        place = self.name.replace(".", "/").replace("phase2", "api", 1)
        return f"{place}/index.md" if self.is_package else f"{place}.md"

    @property
    def says(self) -> str:
        """The first paragraph of its docstring; a folder with a card says what the card does."""
        card = self.path.with_name("card.py")
        own = ast.get_docstring(tree(self.path))
        text = own or (ast.get_docstring(tree(card)) if self.is_package and card.exists() else None)
        return " ".join((text or "").partition("\n\n")[0].split())


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def modules() -> dict[str, Module]:
    """All of the package by name."""
    paths = sorted((ROOT / "phase2").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: Module(name, path) for name, path in zip(names, paths, strict=True)}


@cache
def imports(path: Path) -> set[str]:
    """The modules that a file imports from, or a member of which it reads through a package's door."""
    doors: dict[str, str] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "phase2":
            doors |= {alias.asname or alias.name: origin(node.module, alias.name) for alias in node.names}
    found = set(doors.values())
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            door = modules().get(doors.get(node.value.id, ""))
            if door and door.is_package:
                found.add(origin(door.name, node.attr))
    return found


@cache
def derivations() -> dict[str, list[Module]]:
    """The derivations of each module: those that import it, that have its name, or that say it rests on them."""
    found: dict[str, list[Module]] = {}
    used = {target.split(":")[0]: USED[name] for name, target in DERIVATIONS.items()}
    for derivation in filter(derives, modules().values()):
        named = {name for name in modules() if name.endswith(f".{short(derivation)}")}
        resting = {f"phase2.{name}" for name in used[derivation.name]}
        for name in sorted((named | resting | imports(derivation.path)) & modules().keys()):
            if name.split(".")[1] not in ("derive", "figures", "registry", "errors"):
                found.setdefault(name, []).append(derivation)
    return found


def short(module: Module) -> str:
    return module.name.rpartition(".")[2]


def derives(module: Module) -> str | None:
    """The function of a module that makes a derivation, if it has one."""
    for node in tree(module.path).body:
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "Derivation":
            return node.name
    return None


def steps(module: Module) -> str:
    """The claim and the steps of the derivation that a module makes, as HTML; the tests say how each is checked."""
    derivation = getattr(import_module(module.name), str(derives(module)))()
    return to_html(derivation, [""] * len(derivation.steps)).replace(" <small>[checked ]</small>", "")


def derivations_of(module: Module) -> list[Module]:
    """Its own, then those of the room that it is in."""
    own = derivations().get(module.name, [])
    return own + [each for each in derivations().get(module.name.rpartition(".")[0], []) if each not in own]


@cache
def tested() -> dict[str, set[str]]:
    """What each file of tests is about: modules, and kinds of parts that it takes from the registry."""
    helpers = {path.stem: path for path in (ROOT / "tests").rglob("*.py") if not path.name.startswith("test_")}
    return {
        path.relative_to(ROOT).as_posix(): about(path, helpers) for path in sorted((ROOT / "tests").rglob("test_*.py"))
    }


def about(path: Path, helpers: dict[str, Path]) -> set[str]:
    text = path.read_text(encoding="utf-8")
    found = {*imports(path), *re.findall(r'\b(?:load|names|parts?|ROOMS)[\[(]"(\w+)"', text)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module in helpers:
            found |= {each for each in imports(helpers[node.module]) if not each.endswith(".catalog")}
    return found


def tests_of(module: Module) -> list[str]:
    """The files of tests of a module, the most particular first: in the folder that mirrors its own, else anywhere."""
    if module.name == "phase2":
        return []
    part = parts().get(module.name)
    catalog = f"{module.name.rpartition('.')[0]}.catalog"  # what takes it up takes up all that is in it
    sought = {module.name, catalog} | ({part.card.kind} if part else set())
    if module.is_package and module.name.count(".") > 1:  # a room: what is in it
        sought = {name for name in modules() if name.startswith(module.name)}
    found = [path for path, what in tested().items() if sought & what]
    stem = short(module)
    folder = module.name.split(".")[1] if module.name.count(".") > 1 or module.is_package else ""
    mirror = f"tests/{folder}/test_" if folder else "tests/test_"
    near = [path for path in found if path.startswith(mirror)]
    called = [path for path in tested() if path.startswith(mirror) and named_in(path, stem)]
    return sorted(near or called or found, key=lambda path: (stem not in path, len(tested()[path])))[:TESTS]


def named_in(path: str, stem: str) -> bool:
    return f'"{stem}"' in (ROOT / path).read_text(encoding="utf-8")


@cache
def parts() -> dict[str, registry.Part]:
    """The registry's parts by their modules."""
    return {part.module: part for kind in registry.ROOMS for part in registry.parts(kind).values()}


def box(module: Module) -> str:
    """What stands beside a module's docstrings, as HTML."""
    rows = [*card(module), *links("Derived in", ((each.name, title(each)) for each in derivations_of(module)))]
    rows += links("Tested in", ((path, Path(path).stem) for path in tests_of(module)))
    return f'<aside class="facts" data-search-exclude><dl>{"".join(rows)}</dl></aside>' if rows else ""


def card(module: Module) -> Iterator[str]:
    if part := parts().get(module.name):
        yield f"<dt>In a configuration</dt><dd>{part.card.kind}: <code>{part.name}</code></dd>"
        says = prose(part.card.definition) if part.card.definition else ""
        yield f"<dt>{escape(part.card.label)}</dt><dd>{says}</dd>"
        if part.card.cites:
            yield f"<dt>Paper</dt><dd>{sources(part.card.cites.replace(' ', '').split(','))}</dd>"


def links(name: str, targets: Iterable[tuple[str, str]]) -> list[str]:
    linked = [f'<dd><autoref identifier="{target}">{escape(text)}</autoref></dd>' for target, text in targets]
    return [f"<dt>{name}</dt>", *linked] if linked else []


def title(derivation: Module) -> str:
    """As far as the first colon or comma of what it says."""
    return re.split("[:,]", derivation.says)[0].rstrip(".")
