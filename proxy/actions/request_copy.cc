#include "proxy/actions/request_copy.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace weir::proxy {
namespace {

constexpr std::string_view kSeparator = ": ";
constexpr std::string_view kLineEnd = "\r\n";

// The views of a head beside those of its fields.
std::array<std::string_view*, 7> ViewsOf(http::RequestHead& head) {
  return {&head.method,     &head.target,      &head.parts.scheme,  &head.parts.authority,
          &head.parts.path, &head.parts.query, &head.authority.host};
}

}  // namespace

RequestHeadCopy::RequestHeadCopy(const http::RequestHead& head) : head_(head) {
  const auto views = ViewsOf(head_);
  std::size_t size = 0;
  for (const std::string_view* view : views) size += view->size();
  for (const http::Field& field : head_.fields) {
    size += field.name.size() + kSeparator.size() + field.value.size() + kLineEnd.size();
  }
  bytes_.reserve(size);  // the views stay good while it fills
  const auto keep = [this](std::string_view& view) {
    const std::size_t begin = bytes_.size();
    bytes_ += view;
    view = {bytes_.data() + begin, view.size()};
  };
  for (std::string_view* view : views) keep(*view);
  // Each line as http::Field::verbatim promises it.
  for (http::Field& field : head_.fields) {
    keep(field.name);
    bytes_ += kSeparator;
    keep(field.value);
    bytes_ += kLineEnd;
  }
}

}  // namespace weir::proxy
