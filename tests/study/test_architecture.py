"""The house's floors: what a module may import, and what a package's door may hold."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phase2.source import ROOT

pytestmark = pytest.mark.quick

FLOORS = (
    {"errors", "files", "card", "source", "registry", "checksums", "tex"},
    {"schedules"},
    *({name} for name in ("scratch", "nn", "models", "optim", "data", "task", "train", "study")),
    *({name} for name in ("words", "stats", "figures", "claims", "probe", "derive", "run", "report")),
    {"bench", "bench_page", "cli", "cli_options", "cli_train", "doctor", "verify"},
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = sorted((ROOT / "phase2").rglob("*.py"))
DOORS = [path for path in MODULES if path.name == "__init__.py"]
TORCHLESS = (
    *(f"phase2.study.{n}" for n in ("config", "cell", "code", "fingerprint", "results", "progress", "provenance")),
    "phase2.run.config",
    "phase2.figures.catalog",
    "phase2.data.sources",
    *(f"phase2.schedules.{path.stem}" for path in MODULES if path.parent.name == "schedules" and path not in DOORS),
    "phase2.study.tables",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """The full names of the phase2 modules and members that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively, which the fingerprint does not follow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", [p for p in MODULES if p != ROOT / "phase2" / "__init__.py"], ids=name_of)
def test_a_module_imports_only_from_its_own_floor_and_below(path: Path):
    part = path.relative_to(ROOT / "phase2").parts[0].removesuffix(".py")
    assert part in FLOOR, f"phase2.{part} has no floor: give it one"
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "phase2":
            other = rest.split(".")[0]
            same = other == part or FLOOR[part] == FLOOR[other]
            assert same or FLOOR[other] < FLOOR[part], f"{name_of(path)} imports {name} from above"


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_a_package_file_only_re_exports(path: Path):
    allowed = {"__all__"} | ({"__version__"} if name_of(path) == "phase2" else set())
    for number, node in enumerate(ast.parse(path.read_text()).body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and {t.id for t in node.targets if isinstance(t, ast.Name)} <= allowed
        reexport = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("phase2.")
        assert docstring or names or reexport, f"{name_of(path)} holds more than re-exports: {ast.unparse(node)}"


def opens_text(call: ast.Call) -> bool:
    """Whether a call reads or writes text, by a name that pathlib, open, tempfile or subprocess have for it."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    constants = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    modes = [value for value in constants if isinstance(value, str) and len(value) <= 3]
    keywords = {keyword.arg for keyword in call.keywords}
    if name in ("read_text", "write_text"):
        return isinstance(function, ast.Attribute)  # phase2.files.write_text is UTF-8 by itself
    if name == "open" and isinstance(function, ast.Name):
        return not any("b" in mode for mode in modes)
    if name == "TemporaryFile":
        return any("b" not in mode for mode in modes)
    return bool(keywords & {"text", "universal_newlines"})


def test_text_is_read_and_written_as_utf8_whatever_the_locale():
    without = []
    for path in (path for root in ("phase2", "workflow", "benchmarks") for path in (ROOT / root).rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        wrong = [call for call in calls if opens_text(call) and "encoding" not in {k.arg for k in call.keywords}]
        without += [f"{path.relative_to(ROOT)}: {ast.unparse(call)}" for call in wrong]
    assert not without


def test_what_the_snakefile_reads_imports_no_torch():
    """The Snakefile's top level runs again in every job, and importing torch takes seconds."""
    code = f"import sys, {', '.join(TORCHLESS)}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
