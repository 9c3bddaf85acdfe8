"""Docstrings as Markdown: what they say in backticks leads to it, and what is no Markdown is shown as it stands."""

import re

from griffe import Extension, GriffeError, Object

NAME = re.compile(r"(?<!- )`([A-Za-z_][\w.]*)(?:\(\))?`")  # after a dash stands a column or a table
EXAMPLE = re.compile(r"(?ms)^>>> .*?(?=\n\n|\Z)")
VERBATIM = re.compile(r"(?m)(```(?:.|\n)*?```|`[^`]*`|^ {4}.*$)")
ELSEWHERE = {"UserError": "phase2.errors.UserError"}  # raised by what a module calls
LIST = re.compile(r"(?m)^(?!- |  )(.+)\n(?=- )")


class Docstrings(Extension):
    """Rewrites each docstring as it is read."""

    def on_object(self, *, obj: Object, **kwargs: object) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value, obj)


def as_markdown(text: str, of: Object) -> str:
    """Examples fenced, lists set apart, signs that Markdown would take for its own escaped, names linked."""
    whole = EXAMPLE.sub(lambda match: f"```pycon\n{match[0].rstrip()}\n```\n", text)
    parts = VERBATIM.split(LIST.sub(r"\1\n\n", whole))
    parts[::2] = [re.sub(r"([*_])", r"\\\1", each).replace("<", "&lt;") for each in parts[::2]]
    return NAME.sub(lambda match: linked(match, of), "".join(parts))


def linked(match: re.Match[str], of: Object) -> str:
    """A name in backticks as a link to what it names, if that has a page."""
    name = match[1]
    if not name.startswith("phase2."):
        try:
            name = of.resolve(name)
        except GriffeError:
            name = ELSEWHERE.get(name, "")
    if not name.startswith("phase2.") or name == of.path:
        return match[0]
    return f'<autoref identifier="{name}" optional><code>{match[0][1:-1]}</code></autoref>'
