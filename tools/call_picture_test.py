import importlib.machinery
import importlib.util
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
import xml.etree.ElementTree as ElementTree

TOOL = pathlib.Path(__file__).parent / "call_picture"
SVG = "{http://www.w3.org/2000/svg}"


def load():
    loader = importlib.machinery.SourceFileLoader("call_picture", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("call_picture", loader))
    loader.exec_module(module)
    return module


def tone(spans, seconds):
    """16-bit samples at 8 kHz, 300 Hz where `spans` (ms) say so."""
    out = [0] * (seconds * 8000)
    for start, end in spans:
        for i in range(start * 8, end * 8):
            out[i] = int(8000 * math.sin(2 * math.pi * 300 * i / 8000))
    return out


# One answer after 700 ms, one interruption that silences the bot after 300 ms, one answer in the second row.
CUSTOMER = [(4000, 5000), (9000, 11000), (17000, 18000)]
BOT = [(500, 3000), (5700, 9300), (11900, 15500), (19500, 21000)]
TURNS = [("bot", "您好，我是智能语音助手。", *BOT[0]), ("customer", "是 <我>", *CUSTOMER[0]), ("bot", "打给您是想提醒一下，您", *BOT[1]),
         ("customer", "等一下，请问地址在哪里？", *CUSTOMER[1]), ("bot", "我是智能语音助手，这是一通预约提醒电话。", *BOT[2]),
         ("customer", "好的", *CUSTOMER[2]), ("bot", "再见。", *BOT[3])]


class CallPicture(unittest.TestCase):
    def draw(self, kind=1):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            channels = [tone(CUSTOMER, 22), tone(BOT, 22)]
            with wave.open(str(path / "r.wav"), "wb") as out:
                out.setnchannels(2)
                out.setsampwidth(2)
                out.setframerate(8000)
                out.writeframes(b"".join(struct.pack("<hh", a, b) for a, b in zip(*channels)))
            call = {"turns": [dict(zip(("speaker", "text", "started_ms", "ended_ms"), turn)) for turn in TURNS]}
            (path / "c.json").write_text(json.dumps(call), "utf8")
            done = subprocess.run([sys.executable, str(TOOL), path / "r.wav", path / "c.json", "-o", path / "o.svg"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return ElementTree.fromstring((path / "o.svg").read_text("utf8")), done.stdout

    def test_it_shows_words_gaps_and_the_interruption(self):
        root, said = self.draw()
        texts = [node.text for node in root.iter(SVG + "text")]
        for ms in (700, 900, 1500):
            self.assertTrue(any(re.fullmatch(rf"{ms - 10} ms|{ms} ms|{ms + 10} ms", t) for t in texts), (ms, texts))
        self.assertTrue(any("barge-in, silent after 300 ms" in t for t in texts), texts)
        self.assertIn("是 <我>", texts)
        drawn = "".join(n.text for n in root.iter(SVG + "text") if n.get("class") in ("ct", "bt"))
        for _, text, _, _ in TURNS:
            for char in text:
                self.assertIn(char, drawn)
        self.assertIn("7 turns, 3 gaps, 1 barge-ins", said)

    def test_rows_break_where_nothing_happens(self):
        rows = load().Rows(22_000, [(0, 13_000), (13_500, 20_000)])  # the break leaves 60 ms on either side
        self.assertEqual(len(rows.starts), 2)
        self.assertTrue(13_000 <= rows.starts[1] <= 13_500)
        self.assertEqual([row for row, _, _ in rows.pieces(12_000, 14_000)], [0, 1])
        hard = load().Rows(30_000, [(0, 30_000)])
        self.assertEqual(hard.starts, [0, 14_000, 28_000])

    def test_a_text_is_cut_by_its_width_and_nothing_is_lost(self):
        split = load().split_text
        self.assertEqual(split("一二三四", [0.5, 0.5]), ["一二", "三四"])
        self.assertEqual(split("", [1]), [""])
        for shares in ([0.1, 0.2, 0.7], [1], [0.999, 0.001]):
            self.assertEqual("".join(split("您好 hello，world", shares)), "您好 hello，world")

    def test_g711_is_read_as_it_was_meant(self):
        tool = load()
        self.assertEqual([tool.ulaw(code) for code in (0xFF, 0x7F, 0x80, 0x00)], [0, 0, 32124, -32124])
        self.assertEqual([tool.alaw(code) for code in (0xD5, 0x55, 0xAA, 0x2A)], [8, -8, 32256, -32256])


if __name__ == "__main__":
    unittest.main()
