#include "product/call/chat_memory.hpp"

#include <algorithm>
#include <utility>

namespace yyc3::call {

using inference::ChatMessage;
using inference::Role;

void ChatMemory::add(Role role, const std::string& text) {
  if (text.empty()) return;
  if (!messages_.empty() && messages_.back().role == role)
    messages_.back().text += " " + text;  // templates want turns that alternate
  else
    messages_.push_back({role, text});
  if (messages_.size() <= kKeptMost) return;
  messages_.pop_front();
  summing_ -= summing_ > 0 ? 1 : 0;
}

std::size_t ChatMemory::older() const {
  const std::size_t beyond = messages_.size() - std::min(messages_.size(), kRecent);
  return beyond / kStep * kStep;
}

std::vector<ChatMessage> ChatMemory::messages(const std::string& system,
                                              const std::string& heard) const {
  const bool zh = language_ == text::Language::kZh;
  std::vector<ChatMessage> out{{Role::kSystem, system}};
  if (!summary_.empty()) out.back().text += (zh ? "\n此前谈过：" : "\nBefore: ") + summary_;
  for (std::size_t i = older(); i < messages_.size(); ++i) out.push_back(messages_[i]);
  if (out.back().role != Role::kUser)
    out.push_back({Role::kUser, heard});
  else if (!out.back().text.ends_with(heard))  // it may be on record already
    out.back().text += " " + heard;
  return out;
}

std::vector<ChatMessage> ChatMemory::to_sum_up() {
  if (messages_.size() <= kMost) return {};
  summing_ = older();
  const bool zh = language_ == text::Language::kZh;
  std::string talk = summary_.empty() ? "" : summary_ + "\n";
  for (std::size_t i = 0; i < summing_; ++i) {
    const bool customer = messages_[i].role == Role::kUser;
    talk += (zh ? (customer ? "客户：" : "客服：") : (customer ? "Customer: " : "Agent: ")) +
            messages_[i].text + "\n";
  }
  return {
      {Role::kSystem, zh ? "用一两句话概括下面的通话，只写谈过和答应过的事。"
                         : "Sum up this call in one or two sentences: what was said and agreed."},
      {Role::kUser, std::move(talk)}};
}

void ChatMemory::summed_up(std::string summary) {
  summary_ = std::move(summary);
  messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(summing_));
  summing_ = 0;
}

}  // namespace yyc3::call
