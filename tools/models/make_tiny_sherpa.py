#!/usr/bin/env python3
"""Tiny sherpa-onnx models for the tests of src/worker. Usage: OUTDIR (made: tests/data/sherpa_tiny)

Not speech recognisers: each hears a low tone (500 Hz) as 还, a high one (3 kHz) as 款 and anything quieter as
nothing. Inputs, outputs and metadata are those of the real kinds, so that the real library loads and runs them.
Needs numpy and onnx (the [tools] of models/manifest.toml).
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MELS = 80
WORDS = ["还", "款"]
LOW, HIGH = slice(5, 31), slice(40, 66)  # of the mel bins
F, I32, I64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


class Graph:
    """Collects nodes and constants; every operator has one output unless named otherwise."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def op(self, kind, *inputs, out=None, **attributes):
        out = out or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def scores(self, features, words, quiet, stacked):
        """Log-mel frames [1,T,·] to scores [1,T,words]: the mean of each word's band; `quiet` is word 0's score."""
        if stacked:
            features = self.op("Reshape", features, self.constant(np.array([1, -1, 7, MELS], np.int64)))
            features = self.op("ReduceMean", features, axes=[2], keepdims=0)
        weights = np.zeros((MELS, len(words)), np.float32)
        for band, word in zip((LOW, HIGH), WORDS):
            weights[band, words.index(word)] = 1 / (band.stop - band.start)
        bias = np.full(len(words), -1000, np.float32)
        bias[[words.index(word) for word in WORDS]] = 0
        bias[0] = quiet
        return self.op("Add", self.op("MatMul", features, self.constant(weights)), self.constant(bias))

    def save(self, path, inputs, outputs, metadata):
        graph = helper.make_graph(self.nodes, "tiny", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, {key: str(text) for key, text in metadata.items()})
        onnx.checker.check_model(model)
        onnx.save(model, path)


def write_tokens(folder, words):
    text = "".join(f"{word} {number}\n" for number, word in enumerate(words))
    (folder / "tokens.txt").write_text(text, encoding="utf-8")


def stacking(words):
    flat = ",".join(["0"] * 7 * MELS)
    return {"vocab_size": len(words), "lfr_window_size": 7, "lfr_window_shift": 6, "neg_mean": flat,
            "inv_stddev": flat.replace("0", "1")}


def sense_voice(folder):
    words = ["<unk>", *WORDS, "<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|woitn|>"]
    write_tokens(folder, words)
    g = Graph()
    heard = g.scores("x", words, 11.0, True)
    tags = np.zeros((1, 4, len(words)), np.float32)  # language, emotion, event, number style
    tags[0, range(4), range(3, 7)] = 100
    g.op("Concat", g.constant(tags), heard, out="logits", axis=1)
    inputs = [value("x", F, [1, "T", 7 * MELS]), value("x_length", I32, [1]), value("language", I32, [1]),
              value("text_norm", I32, [1])]
    languages = {"lang_auto": 0, "lang_zh": 3, "lang_en": 4, "lang_yue": 7, "lang_ja": 11, "lang_ko": 12}
    g.save(folder / "model.onnx", inputs, [value("logits", F, [1, "L", len(words)])],
           {"model_type": "sense_voice_ctc", "comment": "tiny", "normalize_samples": 0, "with_itn": 14,
            "without_itn": 15, **languages, **stacking(words)})


def paraformer(folder):
    """One word a half of the sound: the frames at a quarter and at three quarters of it."""
    words = ["<blank>", *WORDS, "<s>", "</s>", "<unk>"]
    write_tokens(folder, words)
    g = Graph()
    frames = g.op("Gather", g.op("Shape", "speech"), g.constant(np.array([1], np.int64)))
    quarters = g.op("Mul", frames, g.constant(np.array([1, 3], np.int64)))
    picked = g.op("Gather", "speech", g.op("Div", quarters, g.constant(np.array([4], np.int64))), axis=1)
    scores = g.scores(picked, words, -1000.0, True)
    g.op("Identity", scores, out="logits")
    g.op("Identity", g.constant(np.array([2], np.int64)), out="token_num")
    g.save(folder / "model.onnx", [value("speech", F, [1, "T", 7 * MELS]), value("speech_lengths", I32, [1])],
           [value("logits", F, [1, 2, len(words)]), value("token_num", I64, [1])],
           {"model_type": "paraformer", **stacking(words)})


def streaming_paraformer(folder):
    """Fires every tenth frame of 60 ms; the embedding it fires with is the words' scores."""
    words = ["<blank>", *WORDS, "<s>", "</s>", "<unk>"]
    write_tokens(folder, words)
    size = len(words)
    g = Graph()
    g.op("Identity", g.scores("speech", words, 20.0, True), out="enc")
    g.op("Identity", "speech_lengths", out="enc_len")
    first = g.op("ReduceMax", "enc", axes=[2], keepdims=0)
    nothing = g.op("Mul", first, g.constant(np.float32(0)))
    g.op("Add", nothing, g.constant(np.float32(0.1)), out="alpha")
    meta = {"model_type": "paraformer", **stacking(words), "encoder_output_size": size, "decoder_num_blocks": 1,
            "decoder_kernel_size": 2}
    g.save(folder / "encoder.onnx", [value("speech", F, [1, "T", 7 * MELS]), value("speech_lengths", I32, [1])],
           [value("enc", F, [1, "T", size]), value("enc_len", I32, [1]), value("alpha", F, [1, "T"])], meta)
    g = Graph()
    g.op("Identity", "embeds", out="logits")
    g.op("ArgMax", "embeds", out="sample_ids", axis=2, keepdims=0)
    g.op("Identity", "in_cache", out="out_cache")
    g.save(folder / "decoder.onnx",
           [value("enc", F, [1, "T", size]), value("enc_len", I32, [1]), value("embeds", F, [1, "N", size]),
            value("embeds_len", I32, [1]), value("in_cache", F, [1, size, 1])],
           [value("logits", F, [1, "N", size]), value("sample_ids", I64, [1, "N"]),
            value("out_cache", F, [1, size, 1])], meta)


def streaming_zipformer(folder):
    """Chunks of 32 frames (0.32 s) in, 8 scores out; the decoder keeps the word just said from being said again."""
    words = ["<blk>", *WORDS]
    write_tokens(folder, words)
    size = len(words)
    g = Graph()
    def numbers(*many):
        return g.constant(np.array(many, np.int64))
    chunk = g.op("Slice", g.scores("x", words, -9.5, False), numbers(0), numbers(32), numbers(1))
    g.op("ReduceMean", g.op("Reshape", chunk, numbers(1, 8, 4, size)), out="encoder_out", axes=[2], keepdims=0)
    states = {"key": [2, 1, 1], "nonlin": [1, 1, 2, 3], "val1": [2, 1, 1], "val2": [2, 1, 1], "conv1": [1, 4, 1],
              "conv2": [1, 4, 1], "embed": [1, 128, 3, 19], "processed": [1]}
    kinds = {name: I64 if name == "processed" else F for name in states}
    for name in states:
        g.op("Identity", name, out=f"new_{name}")
    g.save(folder / "encoder.onnx",
           [value("x", F, [1, 45, MELS]), *(value(n, kinds[n], shape) for n, shape in states.items())],
           [value("encoder_out", F, [1, 8, size]),
            *(value(f"new_{n}", kinds[n], shape) for n, shape in states.items())],
           {"model_type": "zipformer2", "encoder_dims": "4", "query_head_dims": "1", "value_head_dims": "1",
            "num_heads": "1", "num_encoder_layers": "1", "cnn_module_kernels": "3", "left_context_len": "2",
            "T": 45, "decode_chunk_len": 32})
    g = Graph()
    again = np.diag([0] + [-1000] * len(WORDS)).astype(np.float32)
    last = g.op("Gather", "y", g.constant(np.int64(1)), axis=1)
    g.op("Gather", g.constant(again), last, out="decoder_out", axis=0)
    g.save(folder / "decoder.onnx", [value("y", I64, ["N", 2])], [value("decoder_out", F, ["N", size])],
           {"vocab_size": size, "context_size": 2})
    g = Graph()
    g.op("Add", "encoder_out", "decoder_out", out="logit")
    g.save(folder / "joiner.onnx", [value("encoder_out", F, ["N", size]), value("decoder_out", F, ["N", size])],
           [value("logit", F, ["N", size])], {"joiner_dim": size})


def main():
    out = pathlib.Path(sys.argv[1])
    for make in (sense_voice, paraformer, streaming_paraformer, streaming_zipformer):
        folder = out / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)


if __name__ == "__main__":
    main()
