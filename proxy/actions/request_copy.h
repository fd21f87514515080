#pragma once

#include "http/message.h"

#include <string>

namespace weir::proxy {

// A request head with the bytes that its views point into: the parser's lie in a buffer that is used again. The copy is
// equal to what it was made of, whatever the version of the protocol; lines that could be copied whole still can.
// Neither copied nor moved.
class RequestHeadCopy {
 public:
  explicit RequestHeadCopy(const http::RequestHead& head);
  ~RequestHeadCopy() = default;
  RequestHeadCopy(const RequestHeadCopy&) = delete;
  RequestHeadCopy& operator=(const RequestHeadCopy&) = delete;

  [[nodiscard]] const http::RequestHead& head() const { return head_; }

 private:
  std::string bytes_;
  http::RequestHead head_;
};

}  // namespace weir::proxy
