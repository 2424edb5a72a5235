"""The own call sentences of sentences_zh.tsv: read, and checked to be new to the product and the demo."""
import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LEAST, SHORTEST, LONGEST = 200, 4, 14
HAN = r"[\u4e00-\u9fff]"


def plain(text):
    return "".join(re.findall(HAN + "|[0-9a-z]", text.lower()))


def load():
    """[(sentence with its slots marked, sentence to be said)]."""
    with open(os.path.join(HERE, "sentences_zh.tsv"), encoding="utf8") as source:
        marked = [row.rstrip("\n").split("\t")[1] for row in source if not row.startswith("#")]
    return [(said, re.sub(r"[\[\]{}<>]", "", said) + "。") for said in marked]


def texts():
    """The product's own Chinese training and held-out texts without choices: plain sentences for the voice."""
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, "src", "product", "dialogue", "data", "zh_*.tsv"))):
        with open(path, encoding="utf8") as source:
            found.extend(line.rstrip("\n").split("\t")[-1] for line in source if "[" not in line and not line.startswith("#"))
    return found


def _choices(template):
    """A training line with [a|b|] choices as a pattern of plain text."""
    pieces = re.split(r"[\[\]]", template)
    return "".join(plain(piece) if i % 2 == 0 else "(?:" + "|".join(plain(choice) for choice in piece.split("|")) + ")"
                   for i, piece in enumerate(pieces))


def faults(rows):
    """What is wrong with the sentences: length, repeats, and those that training texts or the demo hold."""
    found = []
    patterns, known = [], []
    for path in glob.glob(os.path.join(ROOT, "src", "product", "dialogue", "data", "zh_*.tsv")):
        with open(path, encoding="utf8") as source:
            for line in source:
                text = line.rstrip("\n").split("\t")[-1]
                if "[" in text:
                    patterns.append(re.compile(_choices(text)))
                else:
                    known.append(plain(text))
    for path in glob.glob(os.path.join(ROOT, "demo", "*")) + glob.glob(os.path.join(ROOT, "flows", "*")):
        if os.path.isfile(path):
            with open(path, encoding="utf8", errors="ignore") as source:
                known.extend(plain(line) for line in source)
    with open(os.path.join(ROOT, "src", "worker", "data", "said_zh.txt"), encoding="utf8") as source:
        said = {plain(line) for line in source}
    everything = "\n".join(known)
    seen = set()
    if len(rows) < LEAST:
        found.append(f"{len(rows)} sentences, {LEAST} are wanted")
    for _, text in rows:
        words = plain(text)
        if not SHORTEST <= len(words) <= LONGEST:
            found.append(f"{text} has {len(words)} characters, not {SHORTEST} to {LONGEST}")
        if words in seen:
            found.append(f"{text} is there twice")
        if words in said or words in everything or any(pattern.fullmatch(words) for pattern in patterns):
            found.append(f"{text} is known to the product or the demo")
        seen.add(words)
    return found
