#!/usr/bin/env python3
"""Convert a CTranslate2 Whisper model (model.bin + vocabulary) to whisper.cpp's ggml format (f16 or q8_0).

Usage: ct2_whisper_to_ggml.py [--q8] --out OUT.bin --vocab VOCABULARY(.json|.txt) PART [PART...]
--q8 writes byte for byte what `whisper-quantize … q8_0` makes of the f16 file, without that program.
PARTs are concatenated in order and must form one complete CTranslate2 model.bin whose tensors are
float16/float32 (int8 CT2 files carry `*_scale` tensors: those are de-quantised row by row).
Only numpy is needed. Written for the embedded speech work of this project.
"""
import argparse, hashlib, json, math, struct, sys
import numpy as np

DT = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def parse(buf):
    o = 0

    def rd(fmt):
        nonlocal o
        v = struct.unpack_from("<" + fmt, buf, o)[0]
        o += struct.calcsize("<" + fmt)
        return v

    def rs():
        nonlocal o
        n = rd("H")
        s = buf[o:o + n - 1].decode()
        o += n
        return s

    ver, spec, rev, n = rd("I"), rs(), rd("I"), rd("I")
    if ver != 6 or spec != "WhisperSpec":
        sys.exit(f"not a CTranslate2 v6 WhisperSpec: {ver} {spec}")
    out = {}
    for i in range(n):
        name, rank = rs(), rd("B")
        shape = [rd("I") for _ in range(rank)]
        dt, nb = rd("B"), rd("I")
        if o + nb > len(buf):
            sys.exit(f"truncated: tensor {i} of {n} ({name}) ends past the file; a part is missing")
        out[name] = np.frombuffer(buf, DT[dt], nb // np.dtype(DT[dt]).itemsize, o).reshape(shape)
        o += nb
    na = rd("I")
    for _ in range(na):
        a, b = rs(), rs()
        out[a] = out[b]
    if o != len(buf):
        sys.exit(f"{len(buf) - o} bytes left over")
    return out


def bytes_decoder():
    bs = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    cs, n = bs[:], 0
    for b in range(256):
        if b not in bs:
            bs.append(b)
            cs.append(256 + n)
            n += 1
    return {chr(c): b for b, c in zip(bs, cs)}


def mel_filters(n_mels, sr=16000, n_fft=400):
    """Slaney mel filter bank as in librosa.filters.mel (what Whisper was trained with)."""
    def hz2mel(f):
        f = np.asarray(f, np.float64)
        m = 3.0 * f / 200.0
        return np.where(f >= 1000.0, 15.0 + 27.0 * np.log(np.maximum(f, 1e-9) / 1000.0) / math.log(6.4), m)

    def mel2hz(m):
        m = np.asarray(m, np.float64)
        return np.where(m >= 15.0, 1000.0 * np.exp(math.log(6.4) / 27.0 * (m - 15.0)), 200.0 * m / 3.0)

    fft = np.linspace(0, sr / 2, n_fft // 2 + 1)
    pts = mel2hz(np.linspace(hz2mel(0.0), hz2mel(sr / 2), n_mels + 2))
    d = np.diff(pts)
    ramps = pts[:, None] - fft[None, :]
    w = np.zeros((n_mels, len(fft)))
    for i in range(n_mels):
        w[i] = np.maximum(0, np.minimum(-ramps[i] / d[i], ramps[i + 2] / d[i + 1]))
    return (w * (2.0 / (pts[2:] - pts[:-2]))[:, None]).astype(np.float32)


def q8_0(w):
    """ggml's block_q8_0: 32 values = fp16 scale (absmax / 127) and 32 int8, halves rounded away from zero."""
    x = w.astype(np.float16).astype(np.float32).reshape(-1, 32)
    d = np.abs(x).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    scaled = (x * inverse).astype(np.float64)
    blocks = np.zeros(len(x), np.dtype([("d", "<f2"), ("q", "i1", 32)]))
    blocks["d"] = d[:, 0].astype(np.float16)
    blocks["q"] = np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int8)
    return blocks.tobytes()


def load_vocab(path):
    if path.endswith(".json"):
        return json.load(open(path, encoding="utf8"))
    return [l.rstrip("\n") for l in open(path, encoding="utf8")]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--vocab", required=True)
    ap.add_argument("--q8", action="store_true")
    ap.add_argument("--sha256", help="expected SHA-256 of the concatenated model.bin")
    ap.add_argument("parts", nargs="+")
    a = ap.parse_args()
    buf = b"".join(open(p, "rb").read() for p in a.parts)
    h = hashlib.sha256(buf).hexdigest()
    if a.sha256 and h != a.sha256:
        sys.exit(f"SHA-256 mismatch: {h}")
    v = parse(buf)

    def get(name):
        w = v[name]
        if w.dtype == np.int8:
            w = w.astype(np.float32) / v[name + "_scale"].astype(np.float32).reshape(-1, *([1] * (w.ndim - 1)))
        return w.astype(np.float32)

    ne = 1 + max(int(k.split("/")[1][6:]) for k in v if k.startswith("encoder/layer_") and k.split("/")[1][6:].isdigit())
    nd = 1 + max(int(k.split("/")[1][6:]) for k in v if k.startswith("decoder/layer_") and k.split("/")[1][6:].isdigit())
    emb = get("decoder/embeddings/weight")
    n_vocab, d = emb.shape
    conv1 = get("encoder/conv1/weight")
    n_mels = conv1.shape[1]
    heads = int(v["encoder/num_heads"].reshape(-1)[0])
    dheads = int(v["decoder/num_heads"].reshape(-1)[0])
    epos, dpos = get("encoder/position_encodings/encodings"), get("decoder/position_encodings/encodings")
    out = []
    out.append(("encoder.positional_embedding", epos))
    out.append(("decoder.positional_embedding", dpos))
    out.append(("decoder.token_embedding.weight", emb))
    for c in ("conv1", "conv2"):
        out.append((f"encoder.{c}.weight", get(f"encoder/{c}/weight")))
        out.append((f"encoder.{c}.bias", get(f"encoder/{c}/bias").reshape(-1, 1)))
    out.append(("encoder.ln_post.weight", get("encoder/layer_norm/gamma")))
    out.append(("encoder.ln_post.bias", get("encoder/layer_norm/beta")))
    out.append(("decoder.ln.weight", get("decoder/layer_norm/gamma")))
    out.append(("decoder.ln.bias", get("decoder/layer_norm/beta")))

    def attn(src, dst, ln):
        out.append((f"{ln}.weight", get(f"{src}/layer_norm/gamma")))
        out.append((f"{ln}.bias", get(f"{src}/layer_norm/beta")))
        w0, b0 = get(f"{src}/linear_0/weight"), get(f"{src}/linear_0/bias")
        if w0.shape[0] == 3 * d:  # self attention: q, k, v fused
            (q, k, vv), (qb, _, vb) = np.split(w0, 3), np.split(b0, 3)
            o = "linear_1"
        else:  # cross attention: q apart, k and v fused
            w1, b1 = get(f"{src}/linear_1/weight"), get(f"{src}/linear_1/bias")
            q, qb = w0, b0
            (k, vv), (_, vb) = np.split(w1, 2), np.split(b1, 2)
            o = "linear_2"
        out.append((f"{dst}.query.weight", q))
        out.append((f"{dst}.query.bias", qb))
        out.append((f"{dst}.key.weight", k))  # Whisper's key projection has no bias (zeros in CT2)
        out.append((f"{dst}.value.weight", vv))
        out.append((f"{dst}.value.bias", vb))
        out.append((f"{dst}.out.weight", get(f"{src}/{o}/weight")))
        out.append((f"{dst}.out.bias", get(f"{src}/{o}/bias")))

    def ffn(src, dst):
        out.append((f"{dst}.mlp_ln.weight", get(f"{src}/layer_norm/gamma")))
        out.append((f"{dst}.mlp_ln.bias", get(f"{src}/layer_norm/beta")))
        for i, j in ((0, 0), (1, 2)):
            out.append((f"{dst}.mlp.{j}.weight", get(f"{src}/linear_{i}/weight")))
            out.append((f"{dst}.mlp.{j}.bias", get(f"{src}/linear_{i}/bias")))

    for i in range(ne):
        attn(f"encoder/layer_{i}/self_attention", f"encoder.blocks.{i}.attn", f"encoder.blocks.{i}.attn_ln")
        ffn(f"encoder/layer_{i}/ffn", f"encoder.blocks.{i}")
    for i in range(nd):
        attn(f"decoder/layer_{i}/self_attention", f"decoder.blocks.{i}.attn", f"decoder.blocks.{i}.attn_ln")
        attn(f"decoder/layer_{i}/attention", f"decoder.blocks.{i}.cross_attn", f"decoder.blocks.{i}.cross_attn_ln")
        ffn(f"decoder/layer_{i}/ffn", f"decoder.blocks.{i}")

    vocab = load_vocab(a.vocab)
    dec = bytes_decoder()
    eot = vocab.index("<|endoftext|>")
    toks = [bytes(dec[c] for c in t) for t in vocab[:eot]]
    with open(a.out, "wb") as f:
        f.write(struct.pack("<12i", 0x67676D6C, n_vocab, epos.shape[0], d, heads, ne, dpos.shape[0], d, dheads, nd, n_mels, 2007 if a.q8 else 1))
        m = mel_filters(n_mels)
        f.write(struct.pack("<2i", *m.shape) + m.tobytes())
        f.write(struct.pack("<i", len(toks)))
        for t in toks:
            f.write(struct.pack("<i", len(t)) + t)
        for name, w in out:
            f32 = w.ndim < 2 or name.endswith("positional_embedding") or name.endswith(("conv1.bias", "conv2.bias"))
            q8 = a.q8 and not f32 and w.ndim == 2
            w = np.ascontiguousarray(w, np.float32 if f32 else np.float16)
            nb = name.encode()
            f.write(struct.pack("<3i", w.ndim, len(nb), 8 if q8 else 0 if f32 else 1))
            f.write(struct.pack(f"<{w.ndim}i", *reversed(w.shape)) + nb + (q8_0(w) if q8 else w.tobytes()))
    print("model.bin sha256", h, "->", a.out, "vocab", n_vocab, "tokens", len(toks), "dim", d, "layers", ne, nd)


if __name__ == "__main__":
    main()
