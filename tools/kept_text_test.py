import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent / "accept"))
from kept_text import end_in, off_by  # noqa: E402


class KeptText(unittest.TestCase):
    def test_the_end_is_where_the_beginning_heard_is_nearest(self):
        text = "我们在青年路二十八号，地铁二号线。"
        for heard, end in (("", (0, 0)), ("我们在青年路", (6, 6)), ("我们在，青年鹿", (5, 6)), ("我门在青年路28号", (10, 10)), ("我们在青年路二十八号地铁二号线", (15, 15))):
            self.assertEqual(end_in(text, heard), end, heard)

    def test_a_kept_text_is_off_by_the_characters_it_has_more_or_less(self):
        for kept, off in (("我们在青年路", 0), ("我们在青年", -1), ("我们在青年路二十", 2), ("我们，", -4)):
            unsaid = "我们在青年路二十八号"[len(kept.rstrip("，")):]
            self.assertEqual(off_by(kept, unsaid, "我们在青年路"), off, kept)


if __name__ == "__main__":
    unittest.main()
