"""What TeX means, as plain text: marks go, words stay."""

import re
from typing import Any

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

SOFT_HYPHEN = "\u00ad"

_QUOTE = re.compile(r"\{?\\textquotedbl(?![A-Za-z])(?:\{\})?\}?")
_BRACES = re.compile(r"\\textbrace(left|right)(?![A-Za-z])(?:\{\})?")
_LOGOS = re.compile(r"\\((?:La|Bib)?TeX)(?![A-Za-z])(?:\{\})?")
_LINKS = re.compile(r"\\href\s*\{[^{}]*\}(?=\s*\{)")
_MEANT_FOR_TEX = frozenset({
    "addcounter", "addlength", "bibliography", "color", "colorlet", "definecolor", "documentclass", "hphantom",
    "hypersetup", "label", "newcommand", "newenvironment", "pagecolor", "phantom", "providecolor", "providecommand",
    "provideenvironment", "renewcommand", "renewenvironment", "rowcolors", "selectlanguage", "setcounter", "setlength",
    "usepackage", "vphantom",
})  # fmt: skip  # a list is read in lines
"""Commands whose arguments no reader sees."""


class _ToText(LatexNodes2Text):  # type: ignore[misc]  # pylatexenc has no types
    """Keeps the words of every command that it does not know; pylatexenc leaves them out with it."""

    def macro_node_to_text(self, node: Any) -> str:
        """Return what a command says."""
        name = node.macroname
        if self.latex_context.get_macro_spec(name) is not None or name in _MEANT_FOR_TEX or node.nodeargd is None:
            return str(super().macro_node_to_text(node))
        if verbatim := getattr(node.nodeargd, "verbatim_text", None):
            return str(verbatim)
        return "".join(str(self._groupnodecontents_to_text(each)) for each in node.nodeargd.argnlist or () if each)


def _with_our_meanings() -> Any:
    db: Any = get_default_latex_context_db()
    meanings = {
        "-": "",
        "/": "",
        "slash": "/",
        "url": "%s",
    }  # a place where a word may be broken is none of its letters
    macros = [MacroTextSpec(name, simplify_repl=text) for name, text in meanings.items() if text]
    macros += [MacroTextSpec(name, discard=True) for name, text in meanings.items() if not text]
    db.add_context_category("ours", macros=macros, prepend=True)
    return db


_TO_TEXT = _ToText(latex_context=_with_our_meanings(), keep_braced_groups=False, strict_latex_spaces="macros")


def plain(text: str) -> str:
    """Return the text without what only TeX understands."""
    text = text.replace(SOFT_HYPHEN, "")
    if not re.search(r"[\\{}$~]|--|''|``", text):
        return text
    text = _QUOTE.sub('"', _LOGOS.sub(r"\1", _LINKS.sub("", text)))
    text = _BRACES.sub(lambda found: r"\{" if found[1] == "left" else r"\}", text)
    try:
        text = _TO_TEXT.latex_to_text(text).replace("ˆ", "^")  # which only \\textasciicircum leaves
    except Exception:  # noqa: BLE001 - what no TeX would read, it meets with whatever Python raises
        text = re.sub(r"\\-|\\[A-Za-z]+\s*|[{}\\$]", "", text)
    return " ".join(text.replace("``", "“").replace("''", "”").replace(SOFT_HYPHEN, "").split())
