#!/usr/bin/env python3
"""Whisper's encoder for ONNX Runtime, of a ggml model file. Usage: whisper_encoder_onnx.py MODEL.bin [OUT]

Writes OUT-encoder-1.onnx … (default: beside MODEL, where the worker looks for them): log-mel spectrogram
[1, mels, frames] to encoded sound [1, frames / 2, width], cut into three so that a decode can be stopped between them. The products of the layers are of 8-bit integers: weights
with a scale for each output, sound with a scale for each frame; those that suffer most from it stay float.
Needs numpy and onnx (the [tools] of models/manifest.toml).
"""
import argparse
import struct

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SECTIONS = 3
Q8_BLOCK = np.dtype([("d", "<f2"), ("q", "i1", 32)])
FLOAT = TensorProto.FLOAT
# In bytes these two alone would move the encoded sound by 7.7 and 4.5 % of its length; all others together do by 4.7 %.
KEPT_FLOAT = ("attn.value", "attn.out")


def read(path):
    """{tensor: float32 array} of a ggml Whisper file (f32, f16, q8_0), and its head."""
    with open(path, "rb") as source:
        data = source.read()
    names = "magic vocabulary audio_ctx width heads layers text_ctx text_width text_heads text_layers mels type".split()
    head = dict(zip(names, struct.unpack_from("<12i", data)))
    at = 48
    rows, columns = struct.unpack_from("<2i", data, at)
    at += 8 + 4 * rows * columns
    tokens, = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(tokens):
        at += 4 + struct.unpack_from("<i", data, at)[0]
    tensors = {}
    while at < len(data):
        rank, size, kind = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{rank}i", data, at + 12)[::-1]
        at += 12 + 4 * rank
        name = data[at:at + size].decode()
        at += size
        count = int(np.prod(shape))
        if kind == 8:
            blocks = np.frombuffer(data, Q8_BLOCK, count // 32, at)
            values, used = blocks["d"].astype(np.float32)[:, None] * blocks["q"], 34 * count // 32
        else:
            values = np.frombuffer(data, "<f2" if kind else "<f4", count, at)
            used = values.nbytes
        at += used
        tensors[name] = values.reshape(shape).astype(np.float32)
    return tensors, head


class Section:
    """Nodes and constants of one file, "in" to "out"; every operator has one output."""

    def __init__(self):
        self.nodes, self.constants, self.quantized = [], [], {}

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def op(self, kind, *inputs, domain=None, **attributes):
        out = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], domain=domain, **attributes))
        return out

    def quantize(self, x):
        """`x` [1, frames, n] as bytes around 128, and each frame's scale."""
        if x not in self.quantized:
            loudest = self.op("ReduceMax", self.op("Abs", x), axes=[2], keepdims=1)
            scale = self.op("Mul", self.op("Max", loudest, self.constant(np.float32(1e-8))), self.constant(np.float32(1 / 127)))
            near = self.op("Add", self.op("Round", self.op("Div", x, scale)), self.constant(np.float32(128)))
            self.quantized[x] = self.op("Cast", near, to=TensorProto.UINT8), scale
        return self.quantized[x]

    def linear(self, x, weight, bias, as_float):
        if as_float:
            y = self.op("MatMul", x, self.constant(weight.T))
        else:
            scale = np.abs(weight).max(1) / 127
            steps = np.rint(weight / scale[:, None]).astype(np.int16) + 128
            q, scales = self.quantize(x)
            whole = self.op("MatMulInteger", q, self.constant(steps.astype(np.uint8).T), self.constant(np.uint8(128)),
                            self.constant(np.full(len(scale), 128, np.uint8)))
            y = self.op("Mul", self.op("Mul", self.op("Cast", whole, to=FLOAT), scales), self.constant(scale.astype(np.float32)))
        return y if bias is None else self.op("Add", y, self.constant(bias))

    def gelu(self, x):
        return self.op("Gelu", x, domain="com.microsoft")

    def norm(self, x, weight, bias):
        return self.op("LayerNormalization", x, self.constant(weight), self.constant(bias), axis=-1, epsilon=1e-5)

    def save(self, path, shape, out):
        nodes = self.nodes + [helper.make_node("Identity", [out], ["out"])]
        graph = helper.make_graph(nodes, "encoder", [helper.make_tensor_value_info("in", FLOAT, shape)],
                                  [helper.make_tensor_value_info("out", FLOAT, [1, "steps", "width"])], self.constants)
        versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, opset_imports=versions, ir_version=9), path)


def front(s, t):
    """Two convolutions and where in time each step lies."""
    x = "in"
    for name, stride in (("conv1", 1), ("conv2", 2)):
        weight, bias = t[f"encoder.{name}.weight"], t[f"encoder.{name}.bias"].reshape(-1)
        x = s.gelu(s.op("Conv", x, s.constant(weight), s.constant(bias), kernel_shape=[3], pads=[1, 1], strides=[stride]))
    x = s.op("Transpose", x, perm=[0, 2, 1])
    ints = {n: s.constant(np.array([n], np.int64)) for n in (0, 1, 2)}
    steps = s.op("Slice", s.op("Shape", x), ints[1], ints[2])
    return s.op("Add", x, s.op("Slice", s.constant(t["encoder.positional_embedding"]), ints[0], steps, ints[0]))


def block(s, x, t, name, heads):
    weight = {n: t[f"{name}.{n}.weight"] for n in ("attn.query", "attn.key", "attn.value", "attn.out", "mlp.0", "mlp.2")}
    width = len(weight["attn.out"])
    split = s.constant(np.array([0, 0, heads, width // heads], np.int64))
    small = np.float32((width // heads) ** -0.25)  # of queries and keys both: their product is 1 / sqrt of it

    def project(y, n, by=np.float32(1)):
        bias = t.get(f"{name}.{n}.bias")
        return s.linear(y, weight[n] * by, None if bias is None else bias * by, n in KEPT_FLOAT)

    y = s.norm(x, t[f"{name}.attn_ln.weight"], t[f"{name}.attn_ln.bias"])
    query = s.op("Transpose", s.op("Reshape", project(y, "attn.query", small), split), perm=[0, 2, 1, 3])
    key = s.op("Transpose", s.op("Reshape", project(y, "attn.key", small), split), perm=[0, 2, 3, 1])
    value = s.op("Transpose", s.op("Reshape", project(y, "attn.value"), split), perm=[0, 2, 1, 3])
    seen = s.op("MatMul", s.op("Softmax", s.op("MatMul", query, key), axis=-1), value)
    seen = s.op("Reshape", s.op("Transpose", seen, perm=[0, 2, 1, 3]), s.constant(np.array([0, 0, width], np.int64)))
    x = s.op("Add", x, project(seen, "attn.out"))
    y = s.norm(x, t[f"{name}.mlp_ln.weight"], t[f"{name}.mlp_ln.bias"])
    return s.op("Add", x, project(s.gelu(project(y, "mlp.0")), "mlp.2"))


def convert(path, out):
    tensors, head = read(path)
    layers = head["layers"]
    for i in range(SECTIONS):
        s = Section()
        x, shape = ("in", [1, "steps", head["width"]]) if i else (front(s, tensors), [1, head["mels"], "frames"])
        for layer in range(i * layers // SECTIONS, (i + 1) * layers // SECTIONS):
            x = block(s, x, tensors, f"encoder.blocks.{layer}", head["heads"])
        if i == SECTIONS - 1:
            x = s.norm(x, tensors["encoder.ln_post.weight"], tensors["encoder.ln_post.bias"])
        s.save(f"{out}-encoder-{i + 1}.onnx", shape, x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out", nargs="?")
    options = parser.parse_args()
    convert(options.model, options.out or options.model.removesuffix(".bin"))


if __name__ == "__main__":
    main()
