#pragma once

#include "proxy/message.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace weir::proxy {

// Content of a request that waits for its connection, or that may have to be sent again. Keeps its room from one
// exchange to the next. Thread: worker.
class HeldContent {
 public:
  // Of a request that may be sent again; a request that waits is paused, and holds what had arrived by then.
  static constexpr std::size_t kRepeatableBytesMax = 64 * 1024;

  [[nodiscard]] bool HasRoomFor(const Content& content) const {
    return bytes_.size() + content.bytes.size() <= kRepeatableBytesMax;
  }
  // Content in memory only, no pipe. A piece that this object gave itself is held already.
  void Hold(const Content& content) {
    if (!content.bytes.empty() && content.bytes.data() == bytes_.data()) return;
    bytes_.append(content.bytes);
    end_ = content.end;
    trailers_ = content.trailers;
  }
  // All of it. The views live until the next change.
  [[nodiscard]] Content content() const {
    return {.bytes = bytes_, .pipe = nullptr, .end = end_, .trailers = trailers_};
  }
  void Clear() {
    bytes_.clear();
    if (bytes_.capacity() > kRepeatableBytesMax) bytes_.shrink_to_fit();
    end_ = ContentEnd::kMore;
    trailers_ = nullptr;
  }

 private:
  std::string bytes_;
  ContentEnd end_ = ContentEnd::kMore;
  const std::vector<http::Field>* trailers_ = nullptr;
};

}  // namespace weir::proxy
