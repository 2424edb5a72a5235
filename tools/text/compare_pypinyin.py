#!/usr/bin/env python3
"""Measure engine/text against pypinyin + jieba: the share of syllables (with tone) that agree.

    tools/text/compare_pypinyin.py --build build/dev --tables MODELS/text --packages DIR \\
        --count 1000 FILE.tsv...

Takes the first column of each TSV that holds Chinese characters, keeps lines of 4-60 Hanzi once,
draws --count of them with a fixed seed. --packages: the archives make_lexicons.py fetched. Exit 1
when less than --least agree. Alignment is by character, so nothing can be counted twice.
"""
import argparse
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HAN = re.compile("[\u4e00-\u9fff]")


def sentences(paths, count):
    seen = set()
    for path in paths:
        for line in pathlib.Path(path).read_text(encoding="utf8").splitlines():
            text = next((f for f in line.split("\t") if HAN.search(f)), "")
            if 4 <= len(HAN.findall(text)) <= 60:
                seen.add("".join(text.split()))
    return random.Random(7).sample(sorted(seen), min(count, len(seen)))


def reference(packages, scratch, lines):
    for archive in packages.glob("*"):
        if archive.name.startswith("pypinyin"):
            zipfile.ZipFile(archive).extractall(scratch)
        if archive.name.startswith("jieba"):
            with tarfile.open(archive) as tar:
                wanted = [m for m in tar if m.isfile() and re.match(
                    r"jieba-[^/]+/jieba/(__init__|_compat|dict|finalseg/[a-z_]+)\.(py|txt)$", m.name)]
                for member in wanted:
                    target = scratch / member.name.split("/", 1)[1]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(tar.extractfile(member).read())
    sys.path.insert(0, str(scratch))
    import jieba
    from pypinyin import Style, lazy_pinyin
    jieba.setLogLevel(40)
    kind = dict(style=Style.TONE3, neutral_tone_with_five=True)
    for line in lines:
        yield [s for word in jieba.lcut(line) if HAN.search(word) for run in re.findall("[\u4e00-\u9fff]+", word)
               for s in lazy_pinyin(run, **kind)]


def build(options, scratch):
    root = pathlib.Path(__file__).resolve().parents[2]
    libraries = [options.build / "src" / f"libyyc3_{name}.a" for name in ("engine_text", "base")]
    program = scratch / "spell"
    subprocess.run(["g++", "-std=c++20", "-I", root / "src", root / "tools/text/spell.cpp",
                    *libraries, "-lfmt", *options.flags.split(), "-o", program], check=True)
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--tables", required=True, type=pathlib.Path)
    parser.add_argument("--packages", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--least", type=float, default=0.97)
    parser.add_argument("--flags", default="", help="more for the compiler, e.g. --coverage")
    parser.add_argument("--show", type=int, default=0, help="print so many differences")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    lines = sentences(options.files, options.count)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        program = build(options, scratch)
        done = subprocess.run([program, options.tables], input="\n".join(lines) + "\n", text=True,
                              capture_output=True, check=True)
        same = total = shown = 0
        for line, ours, theirs in zip(lines, done.stdout.splitlines(), reference(options.packages, scratch, lines)):
            ours = re.findall(r"[a-zêü]+[1-5](?= |$)", ours)
            chars = HAN.findall(line)
            if not len(ours) == len(theirs) == len(chars):
                sys.exit(f"cannot be compared: {line}\n{ours}\n{theirs}")
            total += len(chars)
            for char, a, b in zip(chars, ours, theirs):
                same += a == b
                if a != b and shown < options.show:
                    shown += 1
                    print(f"{char} {a} != {b}: {line}")
    share = same / max(total, 1)
    print(f"{len(lines)} sentences, {total} syllables, {same} agree: {100 * share:.2f} %")
    sys.exit(len(lines) < options.count or share < options.least)


if __name__ == "__main__":
    main()
