#!/usr/bin/env python3
"""Measure engine/text against pypinyin + jieba: the share of syllables (with tone) that agree.

    tools/text/compare_pypinyin.py --program build/dev/text_spell --tables MODELS/text \\
        [--packages DIR] --count 1000 FILE.tsv...

Takes the first column of each TSV that holds Chinese characters, keeps lines of 4-60 Hanzi once,
draws --count of them with a fixed seed. --packages: the archives make_lexicons.py fetched; without,
pypinyin and jieba must be installed. Exit 1 when less than --least agree. Alignment is by
character, so nothing can be counted twice. With --say build/dev/text_say the lines are spoken
twice instead (say_twice): tools/accept/recognition hears both back.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HAN = re.compile("[\u4e00-\u9fff]")


def sentences(paths, count, longest=60):
    seen = set()
    for path in paths:
        for line in pathlib.Path(path).read_text(encoding="utf8").splitlines():
            text = next((f for f in line.split("\t") if HAN.search(f)), "")
            if 4 <= len(HAN.findall(text)) <= longest and "[" not in text:
                seen.add("".join(text.split()))
    return random.Random(7).sample(sorted(seen), min(count, len(seen)))


def unpack(packages, scratch):
    """pypinyin and jieba from the archives make_lexicons.py fetched; without `packages` they must be installed."""
    for archive in packages.glob("*") if packages else []:
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


def reference_words(lines, **more):
    """For each line [(word, syllables)], marks between words as ("，", [])."""
    import jieba
    from pypinyin import Style, lazy_pinyin
    jieba.setLogLevel(40)
    kind = dict(style=Style.TONE3, neutral_tone_with_five=True, **more)
    for line in lines:
        yield [(run, lazy_pinyin(run, **kind) if HAN.match(run) else []) for word in jieba.lcut(line)
               for run in re.findall("[\u4e00-\u9fff]+|[^\u4e00-\u9fff]", word)]


def say_twice(options, lines):
    """Renders each line by our syllables and by the reference's; prints a JSON list of [text, ours, theirs] (files)."""
    marks = dict(zip("，、。！？；：,.!?;:", ",,.!?;:,.!?;:"))
    rows = []
    for i, words in enumerate(reference_words(lines, tone_sandhi=True)):
        said = ""
        for word, syllables in words:
            if syllables:
                said += ("|" if said else "") + " ".join(syllables)
            elif word in marks and said and said[-1] not in ",.!?;:":
                said += marks[word]
        rows.append(f"{i}\t{lines[i]}\t{said}\n")
    done = subprocess.run([options.say, options.tables.parent, options.voice, options.folder], input="".join(rows), text=True,
                          stdout=subprocess.PIPE, check=True)
    out = []
    for line, row in zip(lines, done.stdout.splitlines()):
        name, state = row.split("\t")
        ours = str(options.folder / f"{name}-ours.wav")
        out.append([line, ours, ours if state == "same" else str(options.folder / f"{name}-theirs.wav")])
    print(json.dumps(out, ensure_ascii=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="the built text_spell")
    parser.add_argument("--say", help="the built text_say")
    parser.add_argument("--voice", default="zf_xiaoxiao")
    parser.add_argument("--folder", type=pathlib.Path, help="for the sound of --say")
    parser.add_argument("--longest", type=int, default=60, help="Hanzi of a line")
    parser.add_argument("--tables", required=True, type=pathlib.Path)
    parser.add_argument("--packages", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--least", type=float, default=0.97)
    parser.add_argument("--show", type=int, default=0, help="print so many differences")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    lines = sentences(options.files, options.count, options.longest)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        unpack(options.packages, scratch)
        if options.say:
            return say_twice(options, lines)
        done = subprocess.run([options.program, options.tables], input="\n".join(lines) + "\n", text=True,
                              capture_output=True, check=True)
        same = total = shown = 0
        for line, ours, words in zip(lines, done.stdout.splitlines(), reference_words(lines)):
            theirs = [s for _, syllables in words for s in syllables]
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
