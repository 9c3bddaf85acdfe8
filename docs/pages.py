"""The site's pages, for mkdocs: what is written in the repository, each module of phase2, and the files they name."""

import ast
import posixpath
import re
from collections.abc import Iterator
from functools import cache

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from modules import ROOT, Module, box, derives, imports, modules, short, steps, tested, tree

from phase2.study.fingerprint import origin

WRITTEN = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "config/README.md": "configuration.md"}
WRITTEN |= {f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))}
WRITTEN |= {"CHANGELOG.md": "changelog.md"}
FLOORS = (
    *("schedules", "scratch", "nn", "models", "optim", "data", "task", "train", "study"),
    *("words", "stats", "figures", "probe", "derive", "run", "report"),
)
LANGUAGES = {".py": "python", ".yaml": "yaml", ".sh": "sh", ".cff": "yaml", ".smk": "python"}
# A path in a link, or one in backticks that is not yet in a link.
PATH = re.compile(r"(?<=\]\()(?P<link>[\w./-]+)|(?<![`\[])`(?P<code>[\w-]+/[\w./-]*|[\w-]+\.\w+)`(?!`)")
CELL, CODE = re.compile(r"<td>.*?</td>", re.DOTALL), re.compile(r"(?<=<code>)[^<]*")
TAG = re.compile(r"(?P<code>`[^`]*`)|<(?=\w+>)")  # what stands for a name, studies.<name>


def on_config(config: MkDocsConfig) -> None:
    """The navigation: what is written, then the package from its lowest floor up."""
    start, *guides = WRITTEN.values()
    config.nav = [{"phase2": start}, {"Guides": guides}, {"API": ["api/index.md", *floors()]}]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Adds all pages but those that are in docs/."""
    for module in modules().values():
        files.append(File.generated(config, module.uri, content=page_of(module)))
    for path, uri in WRITTEN.items():
        if not path.startswith("docs/"):
            wide = "---\nhide: [navigation]\n---\n" if uri == "index.md" else ""  # it has but itself there
            files.append(File.generated(config, uri, content=wide + (ROOT / path).read_text(encoding="utf-8")))
    for path, uri in shown().items():
        files.append(File.generated(config, uri, content=source_page(path)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """In what is written, paths of the repository lead to their pages."""
    place = next((path for path, uri in WRITTEN.items() if uri == page.file.src_uri), None)
    if place is None:
        return markdown
    markdown = TAG.sub(lambda match: match["code"] or "&lt;", markdown)
    return PATH.sub(lambda match: linked(match, place), markdown)


def on_page_content(html: str, **kwargs: object) -> str:
    """The search passes over source code, and long names in tables break after their signs."""
    html = html.replace(
        '<details class="mkdocstrings-source"', '<details class="mkdocstrings-source" data-search-exclude'
    )
    return CELL.sub(lambda cell: CODE.sub(lambda code: re.sub(r"(?<=[/_.=,])", "<wbr>", code[0]), cell[0]), html)


def linked(match: re.Match[str], place: str) -> str:
    """A path, which stands in the file `place`, as a path of the site."""
    path = resolved(match, place)
    uri = uri_of(path) or (path.removeprefix("docs/") if match["link"] else None)
    target = posixpath.relpath(uri, posixpath.dirname(WRITTEN[place]) or ".") if uri else ""
    return match[0] if not uri else target if match["link"] else f"[{match[0]}]({target})"


def resolved(match: re.Match[str], place: str) -> str:
    """A link is from its file, code from the repository's root."""
    return posixpath.normpath(
        posixpath.join(posixpath.dirname(place), match["link"]) if match["link"] else match["code"]
    )


def uri_of(path: str) -> str | None:
    """The page of a file or folder of the repository, if it has one."""
    name = path.removesuffix(".py").replace("/", ".")
    if path.startswith("phase2") and name in modules():
        return modules()[name].uri
    return WRITTEN.get(path) or shown().get(path)


@cache
def shown() -> dict[str, str]:
    """The files whose text is a page: all tests, and what is named somewhere."""
    found = {*tested()}
    for place in WRITTEN:
        found |= {resolved(match, place) for match in PATH.finditer((ROOT / place).read_text(encoding="utf-8"))}
    plain = [path for path in found if path not in WRITTEN and not path.startswith(("phase2", "results", "data"))]
    return {path: f"files/{path}.md" for path in sorted(plain) if is_text(path)}


def is_text(path: str) -> bool:
    return (ROOT / path).is_file() and (ROOT / path).suffix not in (".png", ".pdf")


def source_page(path: str) -> str:
    """The text of a file; its heading is what other pages link to."""
    language = LANGUAGES.get((ROOT / path).suffix, "text")
    text = (ROOT / path).read_text(encoding="utf-8").rstrip()
    front = "---\nsearch: {exclude: true}\nhide: [navigation, toc]\n---"
    return f"{front}\n# {path} {{ #{path} }}\n\n~~~~~~ {language}\n{text}\n~~~~~~\n"


def page_of(module: Module) -> str:
    """Its facts and docstrings; of a package, the names that it hands on and what its modules are."""
    head = f"# {module.name} {{ #{module.name} }}\n\n{box(module)}\n\n"
    if module.is_package:
        inside = f"{handed_on(module)}\n\n{table(children(module.name))}"
        says = "" if ast.get_docstring(tree(module.path)) else module.says
        return f"{head}::: {module.name}\n    options: {{members: false}}\n\n{says}\n\n{inside}"
    if derives(module):
        shown = "{show_root_heading: true, show_root_full_path: false, show_root_toc_entry: true}"
        functions = [f"::: {module.name}.{name}\n    options: {shown}\n" for name in public(module)]
        return "\n\n".join([head + str(ast.get_docstring(tree(module.path))), steps(module), *functions])
    return f"{head}::: {module.name}\n"


def public(module: Module) -> list[str]:
    nodes = [node for node in tree(module.path).body if isinstance(node, ast.FunctionDef)]
    return [node.name for node in nodes if not node.name.startswith("_") and ast.get_docstring(node)]


def handed_on(package: Module) -> str:
    """The names that a package's door hands on, each a link."""
    nodes = [node for node in tree(package.path).body if isinstance(node, ast.ImportFrom) and node.module]
    names = sorted((alias.name, node.module) for node in nodes for alias in node.names)
    links = [
        f'<autoref identifier="{origin(str(module), name)}.{name}" optional><code>{name}</code></autoref>'
        for name, module in names
    ]
    return f"Names: {', '.join(links)}." if links else ""


def table(rows: list[Module]) -> str:
    """What each module says it is."""
    lines = [f"| [{short(each)}][{each.name}] | {each.says.replace('|', '&#124;')} |" for each in rows]
    return "\n".join(["| module | |", "|---|---|", *lines, ""])


def children(package: str) -> list[Module]:
    """The rooms of a package, then its modules, by name; of the whole, from the lowest floor up."""
    inside = [each for each in modules().values() if each.name.rpartition(".")[0] == package]
    return sorted(inside, key=lambda each: (not each.is_package, floor(each) if package == "phase2" else 0, each.name))


def floors() -> Iterator[dict[str, list]]:
    """The package for the navigation: what all import, the floors in their order, the commands."""
    alone = [each for each in children("phase2") if not each.is_package]
    packages = [each for each in children("phase2") if each.is_package]
    inside = {name for path in (ROOT / "phase2").glob("*/**/*.py") for name in imports(path)}
    yield {"foundations": [{short(each): each.uri} for each in alone if each.name in inside]}
    yield from map(branch, packages)
    yield {"commands": [{short(each): each.uri} for each in alone if each.name not in inside]}


def floor(package: Module) -> int:
    """The floors that are not named are the uppermost."""
    return FLOORS.index(short(package)) if short(package) in FLOORS else len(FLOORS)


def branch(package: Module) -> dict[str, list]:
    """A package with all that is in it."""
    inside = [branch(each) if each.is_package else {short(each): each.uri} for each in children(package.name)]
    return {short(package): [package.uri, *inside]}
