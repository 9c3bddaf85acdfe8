"""Reads the configuration: YAML files, later ones laid over earlier ones, and over them values of the command line.

The Snakefile and `phase2` both read with this, so that one configuration means one thing. Numbers are those of
YAML 1.2 (`1e-1` is one, and `010` is ten), and a key that stands twice is an error. No model is known here:
`phase2.run.config` checks what was read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from yaml import CSafeLoader, MappingNode, Node, ScalarNode, SequenceNode, YAMLError

from phase2.errors import UserError, unknown

NUMBER = re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?$|[-+]?\.(?i:inf)$|\.(?i:nan)$")
REPLACED = ("int", "float", "timestamp")  # what YAML 1.1 takes 010, 1:30 and 2024-01-01 for
PARTS = {"studies": "study", "probes": "probe"}


def as_number(text: str) -> int | float | None:
    """The number that a text writes, as 10, 10_000, 1e-1 or .inf do; None if it writes none."""
    if not NUMBER.match(text):
        return None
    plain = text.replace("_", "").lower()
    return float(re.sub(r"\.(inf|nan)", r"\1", plain)) if re.search("[.e]", plain) else int(plain)


class Loader(CSafeLoader):
    """YAML without surprises: see the head of this file."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own name for it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag.split(":")[-1] not in REPLACED]
        for first, resolvers in CSafeLoader.yaml_implicit_resolvers.items()
    }


Loader.add_implicit_resolver("!number", NUMBER, list("-+.0123456789"))
Loader.add_constructor("!number", lambda loader, node: as_number(node.value))


def read(paths: Iterable[Path], assignments: Iterable[str] = ()) -> dict[str, Any]:
    """The content of the files, and over it `assignments` such as studies.mlp_grid.budget.epochs=3; not yet checked.

    Raises `UserError` for what cannot be read, naming the file.
    """
    content: dict[str, Any] = {}
    for path in paths:
        content = merge(content, _read_file(path))
    for assignment in assignments:
        content = merge(content, _assigned(assignment, content))
    return content


def merge(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """`base` with the values of `overlay` over it, section by section, as Snakemake's --configfile does."""
    both = {**base, **overlay}
    for key in base.keys() & overlay.keys():
        if isinstance(base[key], dict) and isinstance(overlay[key], dict):
            both[key] = merge(base[key], overlay[key])
    return both


def check_options(arguments: Sequence[str]) -> None:
    """Raises `UserError` for options of Snakemake's that would not do what they say.

    Of an option given twice it takes the last alone, and not all reach the jobs.
    """
    if "--replace-workflow-config" in arguments:
        raise UserError("--replace-workflow-config does not reach Snakemake's jobs: put all keys into one --configfile")
    for names in (("--configfile", "--configfiles"), ("--config", "-C")):
        starts = [place for place, argument in enumerate(arguments) if _is(argument, names)]
        if len(starts) > 1:
            values = " ".join(value for start in starts for value in _values(arguments[start:]))
            raise UserError(
                f"{names[0]} is given {len(starts)} times, and Snakemake takes the last alone: write it once, with all "
                f"that it says: {names[0]} {values}"
            )


def _is(argument: str, names: tuple[str, str]) -> bool:
    """Whether an argument is an option of these names, shortened as argparse allows it or with its value attached."""
    word = argument.split("=")[0]
    shortened = names[0] == "--configfile" and word.startswith("--configf") and names[1].startswith(word)
    return word in names or shortened or ("-C" in names and argument.startswith("-C"))


def _values(arguments: Sequence[str]) -> Iterator[str]:
    """What an option at the head of `arguments` is given."""
    option, *rest = arguments
    if "=" in option:
        yield option.split("=", 1)[1]
        return
    for argument in rest:
        if argument.startswith("-"):
            return
        yield argument


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as stream:
            content = _parse(stream) or {}
    except FileNotFoundError:
        raise UserError(
            f"there is no {path} in {Path.cwd()}: go to the folder of config.yaml, or mend the name"
        ) from None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UserError(f"cannot read the configuration {path}: {error}") from None
    except UserError as error:
        raise UserError(f"the configuration {path}: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"the configuration {path} is {content!r}, expected sections such as `run: desk`")
    return content


def _parse(text: Any) -> Any:
    """What a text or a stream holds as YAML."""
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        _refuse_twice(node, set())
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse_twice(node: Node | None, seen: set[int]) -> None:
    """Raises `UserError` if a mapping anywhere in `node` has a key twice."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for item in node.value:
            _refuse_twice(item, seen)
    if isinstance(node, MappingNode):
        places: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, ScalarNode) and (key.tag, key.value) in places:
                first = places[key.tag, key.value]
                raise UserError(
                    f"the key {key.value} stands twice in one section, in line {first} and in line {line}: keep one"
                )
            if isinstance(key, ScalarNode):
                places[key.tag, key.value] = line
            _refuse_twice(value, seen)


def _assigned(assignment: str, content: dict[str, Any]) -> dict[str, Any]:
    """The overlay that an assignment is; of studies and probes it knows those of `content`."""
    key, equals, text = assignment.partition("=")
    if not equals:
        raise UserError(f"{assignment!r} is not key=value: write for example studies.mlp_grid.budget.epochs=3")
    try:
        overlay = _expanded({key: _parse(text)})
    except (YAMLError, UserError) as error:
        raise UserError(f"cannot read the value of {assignment!r}: {error}") from None
    for part, kind in PARTS.items():
        known = [name for name, value in _section(content, part).items() if value is not None]
        for name in _section(overlay, part):
            if name not in known:
                raise UserError(f"{assignment}: {unknown(kind, name, known)}")
    return overlay


def _section(content: dict[str, Any], key: str) -> dict[str, Any]:
    section = content.get(key)
    return section if isinstance(section, dict) else {}


def _expanded(content: Any) -> Any:
    """`content` with a section for each dot of its keys: {a.b: 1} is {a: {b: 1}}."""
    if not isinstance(content, dict):
        return content
    sections: dict[Any, Any] = {}
    for key, value in content.items():
        value = _expanded(value)
        for part in reversed(str(key).split(".")):
            value = {part: value}
        sections = merge(sections, value)
    return sections
