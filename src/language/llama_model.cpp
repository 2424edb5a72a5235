#include "language/llama_model.hpp"

#include <algorithm>
#include <climits>
#include <dlfcn.h>
#include <fmt/format.h>
#include <ggml-backend.h>
#include <llama.h>
#include <utility>

#include "base/bytes.hpp"

namespace yyc3::language {

namespace {

/// The kernels are plug-ins that lie beside ggml's own library.
void load_kernels() {
  static const bool loaded = [] {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&ggml_backend_load_all_from_path), &info) != 0) {
      const std::string folder = std::filesystem::path(info.dli_fname).parent_path().string();
      ggml_backend_load_all_from_path(folder.c_str());
    }
    llama_backend_init();
    return true;
  }();
  static_cast<void>(loaded);
}

struct FreeModel {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};
struct FreeSampler {
  void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
};
using Chain = std::unique_ptr<llama_sampler, FreeSampler>;

class LlamaSampler final : public Sampler {
 public:
  explicit LlamaSampler(Chain chain) : chain_(std::move(chain)) {}
  [[nodiscard]] llama_sampler* get() const { return chain_.get(); }

 private:
  Chain chain_;
};

std::vector<Token> tokenize(const llama_vocab* vocab, std::string_view text, bool first,
                            bool marks) {
  std::vector<Token> out(text.size() + 8);
  const auto size = static_cast<std::int32_t>(text.size());
  const auto room = static_cast<std::int32_t>(out.size());
  const char* begin = text.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with size
  const std::int32_t count = llama_tokenize(vocab, begin, size, out.data(), room, first, marks);
  out.resize(static_cast<std::size_t>(std::max(count, 0)));
  return out;
}

/// Stands for a message in the template while it is laid out; no text a template knows.
std::string place_of(std::size_t message) { return fmt::format("\x01{}\x02", message); }

}  // namespace

struct LlamaModel::Impl {
  static bool should_stop(void* self) {
    const auto* stop = static_cast<Impl*>(self)->stop.load();
    return stop != nullptr && stop->load(std::memory_order_relaxed);
  }

  std::unique_ptr<llama_model, FreeModel> model;
  std::unique_ptr<llama_context, FreeContext> context;
  const llama_vocab* vocab = nullptr;
  std::string chat_template;
  int threads = 1;
  std::atomic<const std::atomic<bool>*> stop{nullptr};  ///< of the decode that runs
  llama_batch batch{};
};

LlamaModel::LlamaModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LlamaModel::~LlamaModel() { llama_batch_free(impl_->batch); }

Result<std::unique_ptr<LlamaModel>> LlamaModel::load(const LlamaConfig& config) {
  load_kernels();
  if (!std::filesystem::is_regular_file(config.file))
    return fail(ErrorCode::kNotFound, config.file.string() + ": no such file; `make language`");
  auto impl = std::make_unique<Impl>();
  llama_model_params of_model = llama_model_default_params();
  of_model.n_gpu_layers = 0;
  of_model.use_extra_bufts = false;  // 600 MB more, and no faster on AVX2
  impl->model.reset(llama_model_load_from_file(config.file.c_str(), of_model));
  if (!impl->model)
    return fail(ErrorCode::kInvalid,
                config.file.string() + ": no model that llama.cpp can read: is it a whole GGUF?");
  const char* layout = llama_model_chat_template(impl->model.get(), nullptr);
  if (layout == nullptr || llama_chat_apply_template(layout, nullptr, 0, true, nullptr, 0) < 0)
    return fail(ErrorCode::kInvalid,
                config.file.string() + ": not a chat model, or its template is not known here");
  impl->chat_template = layout;
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>(config.context);
  params.n_batch = params.n_ubatch = kTokensAtOnce;
  params.n_seq_max = static_cast<std::uint32_t>(config.sequences);
  params.kv_unified = true;  // what sequences begin with alike lies there once
  impl->threads = config.threads;
  params.n_threads = params.n_threads_batch = config.threads;
  params.no_perf = true;
  params.abort_callback = &Impl::should_stop;
  params.abort_callback_data = impl.get();
  impl->context.reset(llama_init_from_model(impl->model.get(), params));
  if (!impl->context)
    return fail(ErrorCode::kInvalid, config.file.string() + ": no memory for its context");
  impl->vocab = llama_model_get_vocab(impl->model.get());
  impl->batch = llama_batch_init(kTokensAtOnce, 0, 1);
  return std::unique_ptr<LlamaModel>(new LlamaModel(std::move(impl)));
}

Result<std::vector<Token>> LlamaModel::prompt_of(std::span<const PromptMessage> messages) const {
  // Laid out with places instead of texts, so that only the template's own marks become marks.
  std::vector<std::string> places;
  std::vector<llama_chat_message> list;
  places.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    places.push_back(place_of(i));
    list.push_back({messages[i].role.c_str(), places.back().c_str()});
  }
  std::string laid(8192, '\0');
  const char* layout = impl_->chat_template.c_str();
  auto lay = [&] {
    return llama_chat_apply_template(layout, list.data(), list.size(), true, laid.data(),
                                     static_cast<std::int32_t>(laid.size()));
  };
  std::int32_t size = lay();
  if (size > static_cast<std::int32_t>(laid.size())) {
    laid.resize(static_cast<std::size_t>(size));
    size = lay();
  }
  if (size < 0) return fail(ErrorCode::kInvalid, "messages: the model's template refuses them");
  laid.resize(static_cast<std::size_t>(size));
  std::vector<Token> out;
  const auto add = [&out](const std::vector<Token>& more) {
    out.insert(out.end(), more.begin(), more.end());
  };
  std::size_t from = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::size_t at = laid.find(places[i], from);
    if (at == std::string::npos)
      return fail(ErrorCode::kInvalid, "messages: the model's template has no place for one");
    add(tokenize(impl_->vocab, std::string_view(laid).substr(from, at - from), i == 0, true));
    add(tokenize(impl_->vocab, messages[i].text, false, false));
    from = at + places[i].size();
  }
  add(tokenize(impl_->vocab, std::string_view(laid).substr(from), false, true));
  return out;
}

std::vector<Token> LlamaModel::tokens_of(std::string_view text) const {
  return tokenize(impl_->vocab, text, false, false);
}

std::string LlamaModel::piece_of(Token token) const {
  std::string out(64, '\0');
  const auto write = [&] {
    return llama_token_to_piece(impl_->vocab, token, out.data(),
                                static_cast<std::int32_t>(out.size()), 0, false);
  };
  std::int32_t size = write();
  if (size < 0) {
    out.resize(static_cast<std::size_t>(-size));
    size = write();
  }
  out.resize(static_cast<std::size_t>(std::max(size, 0)));
  return out;
}

bool LlamaModel::ends(Token token) const { return llama_vocab_is_eog(impl_->vocab, token); }

std::size_t LlamaModel::context() const { return llama_n_ctx_seq(impl_->context.get()); }

int LlamaModel::threads() const { return impl_->threads; }

LlamaModel::Decoded LlamaModel::decode(int sequence, std::size_t position,
                                       std::span<const Token> tokens, const std::atomic<bool>& stop,
                                       int threads) {
  llama_batch& batch = impl_->batch;
  batch.n_tokens = static_cast<std::int32_t>(std::min(tokens.size(), kTokensAtOnce));
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch.n_tokens); ++i) {
    batch.token[i] = tokens[i];
    batch.pos[i] = static_cast<llama_pos>(position + i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = sequence;
    batch.logits[i] = static_cast<std::int8_t>(i + 1 == tokens.size());
  }
  impl_->stop = &stop;
  llama_set_n_threads(impl_->context.get(), threads, threads);
  const std::int32_t result = llama_decode(impl_->context.get(), batch);
  impl_->stop = nullptr;
  switch (result) {
    case 0:
      return Decoded::kOk;
    case 1:
      return Decoded::kNoRoom;
    case 2:
      return Decoded::kStopped;
    default:
      return Decoded::kFailed;
  }
}

void LlamaModel::copy(int from, int to, std::size_t count) {
  llama_memory_t memory = llama_get_memory(impl_->context.get());
  llama_memory_seq_rm(memory, to, -1, -1);
  llama_memory_seq_cp(memory, from, to, 0, static_cast<llama_pos>(count));
}

void LlamaModel::cut(int sequence, std::size_t count) {
  llama_memory_seq_rm(llama_get_memory(impl_->context.get()), sequence,
                      static_cast<llama_pos>(count), -1);
}

Result<std::unique_ptr<Sampler>> LlamaModel::sampler(const SamplerConfig& config) const {
  Chain chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
  if (!config.grammar.empty()) {
    llama_sampler* grammar =
        llama_sampler_init_grammar(impl_->vocab, config.grammar.c_str(), "root");
    if (grammar == nullptr)
      return fail(ErrorCode::kInvalid, "response_format: no grammar can be made of the schema");
    llama_sampler_chain_add(chain.get(), grammar);
  }
  if (config.temperature <= 0) {
    llama_sampler_chain_add(chain.get(), llama_sampler_init_greedy());
  } else {
    llama_sampler_chain_add(chain.get(), llama_sampler_init_top_k(40));
    llama_sampler_chain_add(chain.get(),
                            llama_sampler_init_top_p(static_cast<float>(config.top_p), 1));
    llama_sampler_chain_add(chain.get(),
                            llama_sampler_init_temp(static_cast<float>(config.temperature)));
    llama_sampler_chain_add(chain.get(), llama_sampler_init_dist(config.seed));
  }
  return std::unique_ptr<Sampler>(std::make_unique<LlamaSampler>(std::move(chain)));
}

Token LlamaModel::sample(Sampler& sampler) {
  return llama_sampler_sample(static_cast<LlamaSampler&>(sampler).get(), impl_->context.get(), -1);
}

float LlamaModel::logit(Token token) const {
  return llama_get_logits_ith(impl_->context.get(), -1)[token];
}

}  // namespace yyc3::language
