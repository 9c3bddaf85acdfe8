"""What the report's fonts can print, and how TeX is told.

It stands below the configuration, which refuses at once what could not be typeset hours later.
"""

import unicodedata

_GREEK = "αβγδεζηθικλμνξπρςστυφχψωϕϵϑΓΔΘΛΞΠΣΥΦΨΩ"
_GREEK_NAMES = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau upsilon "
    "varphi chi psi omega phi epsilon vartheta Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_SYMBOLS = "±×·≤≥≠≈≡≪≫∞→←↔⇒∈∂∇√∑∏∫∝∼⊙⊗′"
_SYMBOL_NAMES = (
    "pm times cdot le ge ne approx equiv ll gg infty to leftarrow leftrightarrow Rightarrow in partial nabla surd sum "
    "prod int propto sim odot otimes prime"
)
_AS_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))

# What means something to TeX, and what the text font lacks, as TeX prints it.
SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "µ": r"$\mu$",
    **{letter: f"$\\{name}$" for letter, name in zip(_GREEK, _GREEK_NAMES.split(), strict=True)},
    **{symbol: f"$\\{name}$" for symbol, name in zip(_SYMBOLS, _SYMBOL_NAMES.split(), strict=True)},
    "−": "$-$",
    **_AS_LATIN,
    **{raised: rf"\textsuperscript{{{digit}}}" for raised, digit in _SUPERSCRIPTS.items()},
    **{lowered: rf"\textsubscript{{{digit}}}" for lowered, digit in _SUBSCRIPTS.items()},
}
# What the text font has: Latin with its accents, and punctuation. ĵ, Ŋ and others stand in its encoding, not in it.
_LATIN = {chr(code) for code in (*range(0xA0, 0x180), *range(0x218, 0x21C))} - set("\xad¸ĦħĵĸĿŀŉŊŋŦŧſ")
PLAIN = {chr(code) for code in range(0x20, 0x7F)} | set("\t\n") | _LATIN | set("–—‘’‚“”„†‡•…‰‹›€™")


def escape(text: object) -> str:
    """`text` as TeX prints it; a character that the fonts lack is named by its code, as in U+1F600."""
    return "".join(_printed(character) for character in unicodedata.normalize("NFC", str(text)))


def _printed(character: str) -> str:
    known = SPECIAL.get(character) or (character if character in PLAIN else None)
    return known or f"U+{ord(character):04X}"


def unprintable(text: str) -> list[str]:
    """The characters of `text` that the report's fonts lack, each once, in their order."""
    return [c for c in dict.fromkeys(unicodedata.normalize("NFC", text)) if c not in SPECIAL and c not in PLAIN]
