"""Where in a text a recogniser's hearing of its beginning ends: what a cut reply keeps, measured without the voice or the ledger."""
from sentences import plain

DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


def end_in(text, heard):
    """(fewest, most) characters of plain `text` whose beginning is nearest to `heard` by edit distance: two numbers when the last
    character is another one, which may be a part of the next."""
    text, heard = plain(text).translate(DIGITS), plain(heard).translate(DIGITS)
    row = list(range(len(text) + 1))
    for i, c in enumerate(heard, 1):
        last, row = row, [i] + [0] * len(text)
        for j, d in enumerate(text, 1):
            row[j] = min(last[j - 1] + (c != d), last[j] + 1, row[j - 1] + 1)
    best = [j for j, distance in enumerate(row) if distance == min(row)]
    return best[0], best[-1]


def off_by(kept, unsaid, heard):
    """How many characters `kept` ends behind (before: negative) where the recogniser heard the reply end; 0: at it."""
    fewest, most = end_in(kept + unsaid, heard)
    size = len(plain(kept))
    return size - most if size > most else min(0, size - fewest)
