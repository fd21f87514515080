#include "proxy/actions/authenticate/sealed_text.h"

#include "base/base64.h"

#include <cstdint>
#include <span>

namespace weir::proxy {
namespace {

std::span<const std::uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::span<std::uint8_t> BytesOf(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string TextSealer::Seal(std::string_view purpose, std::string_view text) {
  std::string sealed(text.size() + net::CookieCipher::kOverheadBytes, '\0');
  cipher_.Seal(purpose, BytesOf(text), BytesOf(sealed));
  return EncodeBase64Url(sealed);
}

std::optional<std::string> TextSealer::Open(std::string_view purpose, std::string_view sealed) {
  const auto bytes = DecodeBase64Url(sealed);
  if (!bytes || bytes->size() < net::CookieCipher::kOverheadBytes) return std::nullopt;
  std::string text(bytes->size() - net::CookieCipher::kOverheadBytes, '\0');
  if (!cipher_.Open(purpose, BytesOf(std::string_view(*bytes)), BytesOf(text))) return std::nullopt;
  return text;
}

}  // namespace weir::proxy
