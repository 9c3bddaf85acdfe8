"""What a configuration brings of the user's own: folders of parts, and data sets from folders."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phase2 import registry
from phase2.data.own import forget, part_of
from phase2.errors import UserError, unknown
from phase2.source import ROOT
from phase2.study.fingerprint import clear_cache


def use_own(content: Mapping[str, Any]) -> None:
    """Makes the parts and data sets of a configuration, as it was read, known to the registry of this process.

    Raises `UserError` for a folder that is not there, and for a part that is wrong. What has not the form of a
    configuration is left to be refused.
    """
    folders = [Path(str(folder)).expanduser() for folder in _of(content.get("parts"), list)]
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"parts: {folder} is not a folder: expected one of Python files, each with its CARD")
    sets = _of(_of(content.get("data"), dict).get("sets"), dict)
    own = {name: _of(section, dict).get("folder") for name, section in sets.items()}
    for name, path in own.items():
        if path and not Path(str(path)).expanduser().is_dir():
            raise UserError(f"data.sets.{name}.folder: {path} is not a folder: expected arrays, images or CSV")
    if len({folder.resolve().name for folder in folders}) < len(folders):
        raise UserError("parts: a folder is named twice, or two have one name: take one out, or rename it")
    before = registry.brought()
    forget()
    registry.use(folders, [part_of(name, Path(str(path)).expanduser()) for name, path in own.items() if path])
    if registry.brought() != before:
        clear_cache()
    registry.parts("activation")  # what is wrong in a file of any kind is said here, once
    if folders:
        _check_definitions(folders)


def _check_definitions(folders: list[Path]) -> None:
    """Raises `UserError` for a part whose definition or citation would stop LaTeX after all is trained."""
    known = re.findall(r"^@\w+\{(.+),", (ROOT / "report/references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    places = {folder.resolve() for folder in folders}
    for part in (part for kind in registry.ROOMS for part in registry.parts(kind).values()):
        if part.path.resolve().parent in places:
            if part.card.definition.replace(r"\$", "").count("$") % 2:
                raise UserError(
                    f"{part.path}: the card's definition has a $ too many or too few: {part.card.definition}"
                )
            for key in filter(None, part.card.cites.split(",")):
                if key not in known:
                    raise UserError(f"{part.path}: {unknown('reference', key, known)}: report/references.bib has them")


def _of(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else kind()
