"""Which kernels scripts/engines builds, for the flags that Linux tells of some processors."""
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AVX2 = "avx avx2 fma f16c bmi2"
AVX512 = AVX2 + " avx512f avx512cd avx512bw avx512dq avx512vl avx512vbmi avx512_vbmi2 avx512_vnni"


def kernels(flags):
    with open(os.path.join(ROOT, "scripts", "engines"), encoding="utf8") as script:
        functions = re.findall(r"^(?:has|best)\(\).*?^}", script.read(), re.M | re.S)
    done = subprocess.run(["bash", "-c", "\n".join([f"flags=' {flags} '", *functions, "best"])], capture_output=True, text=True, check=True)
    return done.stdout.split()


class Engines(unittest.TestCase):
    def test_kernels_of_a_processor(self):
        for flags, expected in (("sse4_2", ["sse42"]), ("sse4_2 avx", ["sse42"]), (AVX2, ["haswell"]), (AVX512, ["haswell", "icelake"]),
                                (AVX512 + " avx512_bf16", ["haswell", "icelake"]),
                                (AVX512 + " avx512_bf16 amx_bf16 amx_tile amx_int8", ["haswell", "sapphirerapids"])):
            self.assertEqual(kernels(flags), expected, flags)


if __name__ == "__main__":
    unittest.main()
