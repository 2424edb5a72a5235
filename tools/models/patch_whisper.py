"""Four changes to whisper.cpp 1.8.5. Usage: patch_whisper.py whisper.cpp (its folder)

A cancelled decode stops inside the encoder, not only after it (up to 0.4 s later): whisper.cpp asks its abort
callback between encoder and decoder steps but never hands it to ggml. One exported function sets a callback for
the calling thread and passes it to the CPU backend, which asks it between two graph nodes.

Only the logits that are asked for are computed: of a prompt of 24 tokens those of the last, 51,865 instead of
1.2 million dot products; the prompt took as long as six steps.

The encoder may be another's: a function set for the calling thread gets the log-mel spectrogram and writes the encoded
sound (the place where whisper.cpp calls Core ML or OpenVINO).

AMX kernels work. Built with g++ 12 the first tile ended the process (SIGILL): its _tile_loadconfig reads 8 of the
64 bytes as far as the optimiser knows, and the others were never written. And the tiles are set up for each product,
not once a thread: ONNX Runtime sets them otherwise on the same thread, and texts were nonsense after that.
"""
import sys

path = sys.argv[1] + "/src/whisper.cpp"
text = open(path, encoding="utf8").read()
helper = "static bool ggml_graph_compute_helper(\n      ggml_backend_sched_t   sched,"
anchor = '"ggml_backend_set_n_threads");'
if text.count(helper) != 1 or "yyc3_whisper_set_thread_abort" in text:
    sys.exit(f"{path}: not the whisper.cpp this patch was written for (1.8.5)")
declaration = """static thread_local ggml_abort_callback yyc3_abort_callback = nullptr;
static thread_local void *              yyc3_abort_data     = nullptr;
extern "C" __attribute__((visibility("default")))
void yyc3_whisper_set_thread_abort(ggml_abort_callback callback, void * data) {
    yyc3_abort_callback = callback;
    yyc3_abort_data     = data;
}
typedef bool (*yyc3_encoder_callback)(void * data, const float * mel, int n_len, int n_mels, float * encoded);
static thread_local yyc3_encoder_callback yyc3_encoder = nullptr;
static thread_local void *                yyc3_encoder_data = nullptr;
extern "C" __attribute__((visibility("default")))
void yyc3_whisper_set_thread_encoder(yyc3_encoder_callback encoder, void * data) {
    yyc3_encoder      = encoder;
    yyc3_encoder_data = data;
}

"""
start = text.index(helper)
at = text.index(anchor, start)
line = text.rindex("\n", 0, at) + 1
use = """        auto * yyc3_set_abort = (ggml_backend_set_abort_callback_t)
            ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_abort_callback");
        if (yyc3_set_abort) {
            yyc3_set_abort(backend, yyc3_abort_callback, yyc3_abort_data);
        }
"""
text = text[:start] + declaration + text[start:line] + use + text[line:]


def replace(old, new):
    global text
    if text.count(old) != 1:
        sys.exit(f"{path}: not the whisper.cpp this patch was written for (1.8.5): {old.strip()}")
    text = text.replace(old, new)


replace("    //cur = ggml_view_2d(ctx0, cur, cur->ne[0], 1, cur->nb[1], (cur->ne[1] - 1)*cur->nb[1]);\n",
        """    if (n_tokens > 1 && batch.logits[n_tokens - 1] && std::count(batch.logits, batch.logits + n_tokens, 0) == n_tokens - 1) {
        cur = ggml_view_2d(ctx0, cur, cur->ne[0], 1, cur->nb[1], (n_tokens - 1)*cur->nb[1]);
    }
""")
replace("logits_out.data() + (n_vocab*i), sizeof(float)*(n_vocab*i), sizeof(float)*n_vocab);",
        "logits_out.data() + (n_vocab*i), logits->ne[1] == 1 ? 0 : sizeof(float)*(n_vocab*i), sizeof(float)*n_vocab);")
replace("    return use_coreml || use_openvino;\n", "    return use_coreml || use_openvino || yyc3_encoder != nullptr;\n")
replace("            ggml_backend_sched_reset(sched);\n\n#if defined(WHISPER_USE_COREML)\n",
        """            ggml_backend_sched_reset(sched);
            if (yyc3_encoder != nullptr && !yyc3_encoder(yyc3_encoder_data, wstate.inp_mel.data(), mel->ne[0], mel->ne[1],
                                                         (float *) wstate.embd_enc->data)) {
                return false;
            }

#if defined(WHISPER_USE_COREML)
""")
open(path, "w", encoding="utf8").write(text)

path = sys.argv[1] + "/ggml/src/ggml-cpu/amx/mmq.cpp"
text = open(path, encoding="utf8").read()
replace("    static thread_local bool done = false;\n\n    if (done) {\n        return;\n    }\n\n", "")
replace("    done = true;\n", "")
replace("    _tile_loadconfig(&tc);\n",
        """    __asm__ volatile("" : : "r"(&tc) : "memory");
    _tile_loadconfig(&tc);
""")
open(path, "w", encoding="utf8").write(text)
