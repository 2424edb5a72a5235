"""Lets a cancelled decode stop inside Whisper's encoder, not only after it (up to 0.4 s later).

whisper.cpp 1.8.5 asks its abort callback between encoder and decoder steps but never hands it to ggml.
This adds one exported function that sets a callback for the calling thread and passes it to the CPU
backend, which asks it between two graph nodes. Usage: patch_whisper_abort.py whisper.cpp/src/whisper.cpp
"""
import sys

path = sys.argv[1]
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
open(path, "w", encoding="utf8").write(text)
