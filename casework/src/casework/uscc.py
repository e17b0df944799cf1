"""The unified social credit code (GB 32100-2015): 18 characters, the last one a check character."""

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def check_character(first_seventeen: str) -> str:
    """The check character of 17 characters of the code's alphabet. Raises KeyError on any other character."""
    total = sum(
        _VALUE[character] * weight for character, weight in zip(first_seventeen, _WEIGHTS, strict=True)
    )
    return _ALPHABET[-total % 31]


def is_uscc(text: str) -> bool:
    """Whether the text is a code with the right check character."""
    if len(text) != 18 or any(character not in _VALUE for character in text):
        return False
    return check_character(text[:17]) == text[17]
